import { netnsOf } from '../../checks/look.ts';
import type { Cause } from '../cause.ts';
import { command, container, ip } from '../commands.ts';

const common = { hop: 'inner', explains: ['namespaces.'], structural: true } as const;

/** Chapter 01: what stands in /run/netns under a container's name. */
export const namespaces: Cause[] = [
  {
    ...common,
    id: 'namespace-missing',
    detect: (the, { path }) => {
      const which = path.containers.find(
        (one) => !the.facts.namespaces.some(({ name }) => name === the.plan[one].name),
      );
      if (!which) return undefined;
      const others = the.facts.namespaces.map(({ name }) => name).join(', ');
      return {
        which,
        seen: [`/run/netns has ${others || 'nothing'}`],
        wrong: `There is no network namespace ${the.plan[which].name}: nobody made one, or it was deleted.`,
        mend: container(the, which),
      };
    },
  },
  {
    ...common,
    id: 'namespace-plain-file',
    detect: (the, { path }) => {
      const which = path.containers.find((one) =>
        the.facts.namespaces.some(({ name, real }) => name === the.plan[one].name && !real),
      );
      if (!which) return undefined;
      const { name } = the.plan[which];
      return {
        which,
        seen: [`/run/netns/${name} has no mount of type nsfs on it`],
        wrong: `/run/netns/${name} is a plain file: a namespace's name is a file with the namespace mounted on it.`,
        mend: [command('rm', '-f', `/run/netns/${name}`), ...container(the, which)],
      };
    },
  },
  {
    ...common,
    id: 'namespace-of-host',
    detect: (the, { path }) => {
      const which = path.containers.find((one) =>
        the.facts.namespaces.some(({ name, inode }) => name === the.plan[one].name && inode === the.facts.host.inode),
      );
      if (!which) return undefined;
      const { name } = the.plan[which];
      return {
        which,
        seen: [`the inode of /run/netns/${name} is ${the.facts.host.inode}, the lab host's own`],
        wrong: `${name} is the lab host's own network namespace under another name: nothing in it is apart.`,
        mend: [ip(null, 'netns', 'del', name), ...container(the, which)],
      };
    },
  },
  {
    ...common,
    id: 'namespace-shared',
    explains: ['namespaces.ct2'],
    detect: (the) => {
      const { ct1, ct2 } = the.plan;
      const [one, two] = [netnsOf(the.facts, ct1.name), netnsOf(the.facts, ct2.name)];
      if (!one || one.inode === null || one.inode !== two?.inode) return undefined;
      return {
        which: 'ct2',
        seen: [`${ct1.name} and ${ct2.name} have the same inode, ${one.inode}`],
        wrong: `${ct2.name} is the same namespace as ${ct1.name}: two names, one namespace.`,
        mend: [ip(null, 'netns', 'del', ct2.name), ...container(the, 'ct2')],
      };
    },
  },
];
