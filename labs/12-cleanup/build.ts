import { undo as namespaces } from '../01-namespaces/undo.ts';
import { undo as bridge } from '../02-bridge/undo.ts';
import { undo as veth } from '../03-veth/undo.ts';
import { undo as addressing } from '../04-addressing/undo.ts';
import { undo as connectivity } from '../05-connectivity/undo.ts';
import { undo as egress } from '../06-egress/undo.ts';
import { undo as dns } from '../07-dns/undo.ts';
import { undo as publish } from '../08-publish/undo.ts';
import { undo as docker } from '../10-docker/undo.ts';
import type { Command, Scene, Script, ScriptOf } from '../script.ts';
import type { chapter } from './chapter.ts';

/** The reference solution of cleaning up: each chapter's undo, the last first. */
export const build: ScriptOf<typeof chapter> = async ({ $, plan, step }) => {
  const all = async (undo: Script): Promise<Command[]> => {
    const commands: Command[] = [];
    const collect: Scene['step'] = (_id, ...some) => {
      commands.push(...some);
      return Promise.resolve();
    };
    await undo({ $, plan, step: collect });
    return commands;
  };
  await step('docker', ...(await all(docker)));
  await step('publish', ...(await all(publish)));
  await step('dns', ...(await all(dns)));
  await step('egress', ...(await all(egress)));
  await step('connectivity', ...(await all(connectivity)));
  await step('addressing', ...(await all(addressing)));
  await step('veth', ...(await all(veth)));
  await step('bridge', ...(await all(bridge)));
  await step('namespaces', ...(await all(namespaces)));
};
