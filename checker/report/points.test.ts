import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sharesOf, totalOf } from './points.ts';

test('Shares add up to the whole, to the hundredth, whatever the weights', () => {
  for (const whole of [1, 5, 10, 20, 33]) {
    for (let count = 1; count < 40; count += 1) {
      const weights = Array.from({ length: count }, (_, n) => 1 + ((n * 7) % 5) / 2);
      const shares = sharesOf(whole, weights);
      assert.equal(totalOf(shares), whole);
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      for (const [at, share] of shares.entries()) {
        assert.ok(Math.abs(share - (whole * (weights[at] ?? 0)) / total) < 0.01);
      }
    }
  }
});

test('Equal weights differ by a hundredth at most, and the earlier ones have it', () => {
  assert.deepEqual(sharesOf(10, [1, 1, 1, 1, 1, 1]), [1.67, 1.67, 1.67, 1.67, 1.66, 1.66]);
  assert.deepEqual(sharesOf(10, [1, 1, 1]), [3.34, 3.33, 3.33]);
});

test('A weight of three counts three times', () => {
  assert.deepEqual(sharesOf(20, [3, 1]), [15, 5]);
});

test('No checks, no shares', () => {
  assert.deepEqual([sharesOf(10, []), totalOf([])], [[], 0]);
});
