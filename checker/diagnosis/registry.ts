import type { Cause } from './cause.ts';
import { addressing } from './causes/addressing.ts';
import { bridge } from './causes/bridge.ts';
import { firewall } from './causes/firewall.ts';
import { forward } from './causes/forward.ts';
import { frontends } from './causes/frontends.ts';
import { leftover } from './causes/leftover.ts';
import { lookups } from './causes/lookups.ts';
import { loopback } from './causes/loopback.ts';
import { names } from './causes/names.ts';
import { namespaces } from './causes/namespaces.ts';
import { neighbours } from './causes/neighbours.ts';
import { publish } from './causes/publish.ts';
import { routing } from './causes/routing.ts';
import { server } from './causes/server.ts';
import { shadow } from './causes/shadow.ts';
import { silent } from './causes/silent.ts';
import { sizes } from './causes/sizes.ts';
import { stale } from './causes/stale.ts';
import { tracking } from './causes/tracking.ts';
import { translation } from './causes/translation.ts';
import { uplink } from './causes/uplink.ts';
import { veth } from './causes/veth.ts';

/** Every cause, the most probable first: a fact that breaks a path explains before what only fits what was seen. */
export const causes: readonly Cause[] = [
  ...namespaces,
  ...bridge,
  ...leftover,
  ...veth,
  ...addressing,
  ...uplink,
  ...neighbours,
  ...silent,
  ...tracking,
  ...stale,
  ...sizes,
  ...shadow,
  ...routing,
  ...lookups,
  ...names,
  ...frontends,
  ...firewall,
  ...server,
  ...publish,
  ...loopback,
  ...forward,
  ...translation,
];
