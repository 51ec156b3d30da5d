import type { Fault } from './fault.ts';
import { fault as arpOff } from './arp-off.ts';
import { fault as asymmetricStrict } from './asymmetric-strict.ts';
import { fault as blackHole } from './black-hole.ts';
import { fault as blackHoleInside } from './black-hole-inside.ts';
import { fault as bridgeDown } from './bridge-down.ts';
import { fault as bridgeFilter } from './bridge-filter.ts';
import { fault as bridgeWithoutAddress } from './bridge-without-address.ts';
import { fault as bridgedTrafficJudged } from './bridged-traffic-judged.ts';
import { fault as cableDownOutside } from './cable-down-outside.ts';
import { fault as containerFirewall } from './container-firewall.ts';
import { fault as dnatWrongContainer } from './dnat-wrong-container.ts';
import { fault as dnatWrongPort } from './dnat-wrong-port.ts';
import { fault as dropBeforeAccept } from './drop-before-accept.ts';
import { fault as duplicateAddress } from './duplicate-address.ts';
import { fault as duplicateMac } from './duplicate-mac.ts';
import { fault as falseNeighbour } from './false-neighbour.ts';
import { fault as firewalld } from './firewalld.ts';
import { fault as forwardNoWayBack } from './forward-no-way-back.ts';
import { fault as forwardNoWayIn } from './forward-no-way-in.ts';
import { fault as forwardNoWayOut } from './forward-no-way-out.ts';
import { fault as forwardingOff } from './forwarding-off.ts';
import { fault as forwardingOffForBridge } from './forwarding-off-for-bridge.ts';
import { fault as gatewayDropsPing } from './gateway-drops-ping.ts';
import { fault as isolatedPorts } from './isolated-ports.ts';
import { fault as leftRunning } from './left-running.ts';
import { fault as leftoverBridge } from './leftover-bridge.ts';
import { fault as linkDownInside } from './link-down-inside.ts';
import { fault as loopbackDown } from './loopback-down.ts';
import { fault as loopbackSourceKept } from './loopback-source-kept.ts';
import { fault as masqueradeMissing } from './masquerade-missing.ts';
import { fault as masqueradeWrongSubnet } from './masquerade-wrong-subnet.ts';
import { fault as masqueradeWrongUplink } from './masquerade-wrong-uplink.ts';
import { fault as namesWithoutDns } from './names-without-dns.ts';
import { fault as nativeChainDrops } from './native-chain-drops.ts';
import { fault as nativeTranslationFirst } from './native-translation-first.ts';
import { fault as noDefaultRoute } from './no-default-route.ts';
import { fault as noRouteForLoopback } from './no-route-for-loopback.ts';
import { fault as noWayOutOfHost } from './no-way-out-of-host.ts';
import { fault as oldTranslationKept } from './old-translation-kept.ts';
import { fault as pingsIgnored } from './pings-ignored.ts';
import { fault as policyRoutedAway } from './policy-routed-away.ts';
import { fault as portDisabled } from './port-disabled.ts';
import { fault as portTakenEverywhere } from './port-taken-everywhere.ts';
import { fault as publishedByUdp } from './published-by-udp.ts';
import { fault as publishedForHostOnly } from './published-for-host-only.ts';
import { fault as publishedForOutsideOnly } from './published-for-outside-only.ts';
import { fault as rawDrop } from './raw-drop.ts';
import { fault as resolverFileGone } from './resolver-file-gone.ts';
import { fault as resolverNotListening } from './resolver-not-listening.ts';
import { fault as resolverUnreachable } from './resolver-unreachable.ts';
import { fault as searchDomain } from './search-domain.ts';
import { fault as serverFrozen } from './server-frozen.ts';
import { fault as serverOnAnotherPort } from './server-on-another-port.ts';
import { fault as serverOnLoopback } from './server-on-loopback.ts';
import { fault as serverStopped } from './server-stopped.ts';
import { fault as shortLivedPackets } from './short-lived-packets.ts';
import { fault as shortUplink } from './short-uplink.ts';
import { fault as silentShortening } from './silent-shortening.ts';
import { fault as sourceNotOurs } from './source-not-ours.ts';
import { fault as strayRoute } from './stray-route.ts';
import { fault as tooManyConnections } from './too-many-connections.ts';
import { fault as translationPassedOver } from './translation-passed-over.ts';
import { fault as ufw } from './ufw.ts';
import { fault as untracked } from './untracked.ts';
import { fault as uplinkInBridge } from './uplink-in-bridge.ts';
import { fault as vethUnplugged } from './veth-unplugged.ts';
import { fault as wrongGateway } from './wrong-gateway.ts';
import { fault as wrongMask } from './wrong-mask.ts';

/** Every fault. A file that is not listed here fails a test. */
export const faults: readonly Fault[] = [
  arpOff,
  asymmetricStrict,
  blackHole,
  blackHoleInside,
  bridgeDown,
  bridgeFilter,
  bridgeWithoutAddress,
  bridgedTrafficJudged,
  cableDownOutside,
  containerFirewall,
  dnatWrongContainer,
  dnatWrongPort,
  dropBeforeAccept,
  duplicateAddress,
  duplicateMac,
  falseNeighbour,
  firewalld,
  forwardNoWayBack,
  forwardNoWayIn,
  forwardNoWayOut,
  forwardingOff,
  forwardingOffForBridge,
  gatewayDropsPing,
  isolatedPorts,
  leftRunning,
  leftoverBridge,
  linkDownInside,
  loopbackDown,
  loopbackSourceKept,
  masqueradeMissing,
  masqueradeWrongSubnet,
  masqueradeWrongUplink,
  namesWithoutDns,
  nativeChainDrops,
  nativeTranslationFirst,
  noDefaultRoute,
  noRouteForLoopback,
  noWayOutOfHost,
  oldTranslationKept,
  pingsIgnored,
  policyRoutedAway,
  portDisabled,
  portTakenEverywhere,
  publishedByUdp,
  publishedForHostOnly,
  publishedForOutsideOnly,
  rawDrop,
  resolverFileGone,
  resolverNotListening,
  resolverUnreachable,
  searchDomain,
  serverFrozen,
  serverOnAnotherPort,
  serverOnLoopback,
  serverStopped,
  shortLivedPackets,
  shortUplink,
  silentShortening,
  sourceNotOurs,
  strayRoute,
  tooManyConnections,
  translationPassedOver,
  ufw,
  untracked,
  uplinkInBridge,
  vethUnplugged,
  wrongGateway,
  wrongMask,
];
