import { rules } from '../06-egress/rules.ts';
import { append } from '../rules.ts';
import { rewrite, uplink } from './engine/parts.ts';
import type { Fault } from './fault.ts';

export const fault: Fault = {
  id: 'masquerade-missing',
  title: 'Nothing translates the source of what leaves.',
  level: 1,
  needs: 'egress',
  excludes: ['masquerade-wrong-uplink', 'masquerade-wrong-subnet'],
  cause: 'masquerade-missing',
  symptoms: ['egress.ct1', 'egress.ct2', 'egress.masquerade'],
  inject: ({ $, plan: { bridge, subnet } }) => [
    rewrite($, 'nat', `-A .*-s ${subnet}( ! -o ${bridge}| -o ${uplink}) .*-j (MASQUERADE|SNAT)`, { delete: true }),
  ],
  repair: ({ $, plan }) => rules({ $, plan }).masquerade.map(append),
  tells:
    'The packets leave with the private source that they came with. They arrive, and are answered, and nobody out there has a route to such an address.',
  words: ['no masquerade', 'masquerade missing', 'no snat', 'snat missing', 'no source nat', 'source not translated'],
};
