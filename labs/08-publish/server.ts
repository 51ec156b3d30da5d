import { not, sh } from '../guards.ts';
import type { Command, Scene, Sh, Template } from '../script.ts';

type Where = Pick<Scene, '$' | 'plan'>;

/** The folder that is served, a page in it, and where the server writes who asked for what. */
const folder = ({ plan: { ct1 } }: Where): string => `/srv/${ct1.name}`;
const pageOf = (where: Where): string => `${folder(where)}/index.html`;
const logOf = ({ plan: { ct1 } }: Where): string => `/run/${ct1.name}-web.log`;
const hello = ($: Template, { plan: { ct1 } }: Where): Sh => $`echo ${`Hello from ${ct1.name}`}`;

export const makePage = (where: Where): Command[] => {
  const { $ } = where;
  return [
    { done: $`test -d ${folder(where)}`, run: $`mkdir -p ${folder(where)}` },
    { done: $`test -s ${pageOf(where)}`, run: sh(`${hello($, where).cmd} ${$`> ${pageOf(where)}`.cmd}`) },
  ];
};

export const removePage = (where: Where): Command[] => {
  const { $ } = where;
  const ours = `${hello($, where).cmd} | ${$`cmp -s - ${pageOf(where)}`.cmd}`;
  const ownOrEmpty = sh(`test -e ${pageOf(where)} && { ${ours} || ! test -s ${pageOf(where)}; }`);
  return [
    { done: not(ownOrEmpty), run: $`rm ${pageOf(where)}` },
    {
      done: not($`test -d ${folder(where)} && test -z "$(ls -A ${folder(where)})"`),
      run: $`rmdir ${folder(where)}`,
    },
  ];
};

/** The server's argv: its own folder makes it unlike any other. */
const argv = (where: Where): string[] =>
  `python3 -m http.server ${where.plan.containerPort} --bind 0.0.0.0 --directory ${folder(where)}`.split(' ');

/** Starts it so that it outlives the ssh session and holds none of its channels (setsid(1)). */
export const start = (where: Where): Command => {
  const { $, plan } = where;
  return {
    done: $`ip netns exec ${plan.ct1.name} ss -Hltn ${`sport = :${plan.containerPort}`} | grep -q .`,
    run: $`setsid --fork ip netns exec ${plan.ct1.name} ${argv(where)} < /dev/null > ${logOf(where)} 2>&1`,
  };
};

/** Ends what `start` started: that argv to the word, in a network namespace that is not the host's, named or not. */
export const stop = (where: Where): Command[] => {
  const { $ } = where;
  const line = argv(where).join(' ');
  const found = $`for pid in $(pgrep -xf ${line}); do test "/proc/$pid/ns/net" -ef /proc/self/ns/net || echo "$pid"; done`;
  const none = sh(`test -z "$(${found.cmd})"`);
  return [
    { done: none, run: sh(`kill $(${found.cmd})`) },
    { done: not($`test -e ${logOf(where)}`), run: $`rm ${logOf(where)}` },
  ];
};
