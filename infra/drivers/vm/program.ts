import * as libvirt from '@pulumi/libvirt';
import { type Architecture, platforms } from '../../architecture.ts';
import { seatSerial } from './record.ts';

/** The input from which the program makes its resources. */
export interface Blueprint {
  uri: string;
  /** The name of the domain, the network and the pool. */
  object: string;
  mark: string;
  poolPath: string;
  base: { name: string; upload?: string };
  overlay: { name: string };
  seed: { name: string; upload?: string };
  /** Paths on the hypervisor, or with `upload` files to copy there. */
  boot: { kernel: string; initrd: string; cmdline: string; upload: boolean };
  network: { bridge: string; mac: string; subnet: string };
  domain: {
    cpus: number;
    memoryMiB: number;
    type: 'kvm' | 'qemu';
    cpuMode: string;
    architecture: Architecture;
    consoleFile: string;
  };
}

/**
 * Declares the lab's resources. A base volume without `upload` is a file that is already in the pool's folder. The
 * provider uses an existing volume as it is (terraform-provider-libvirt 0.8.3, resource_libvirt_volume.go). So labs on
 * this machine share one image instead of copying it.
 *
 * The cloud-init disk is a volume with an ISO that we make ourselves, not a CloudinitDisk. The provider reads a new
 * CloudinitDisk back, and go-libvirt's rpc.go (requestStream) hangs for ever when libvirtd sends the first data before
 * the reply to the call. This happened here in about one of twenty labs. Our ISO also keeps the private host key out of
 * the state.
 */
export function declare(plan: Blueprint): { domain: libvirt.Domain['name'] } {
  const options = { provider: new libvirt.Provider('hypervisor', { uri: plan.uri }) };
  const pool = new libvirt.Pool('pool', { name: plan.object, type: 'dir', target: { path: plan.poolPath } }, options);
  const network = declareNetwork(plan, options);
  const upload = (name: string, source: string | undefined, format: string): libvirt.Volume =>
    new libvirt.Volume(name, { name, pool: pool.name, format, ...(source !== undefined && { source }) }, options);

  const baseFormat = plan.base.name.endsWith('.raw') ? 'raw' : 'qcow2';
  const base = upload(plan.base.name, plan.base.upload, baseFormat);
  const overlay = new libvirt.Volume(
    'overlay',
    {
      name: plan.overlay.name,
      pool: pool.name,
      format: 'qcow2',
      baseVolumeId: base.id,
    },
    options,
  );
  const seed = upload(plan.seed.name, plan.seed.upload, 'raw');
  const { boot } = plan;
  const kernel = boot.upload ? upload('kernel', boot.kernel, 'raw').id : boot.kernel;
  const initrd = boot.upload ? upload('initrd', boot.initrd, 'raw').id : boot.initrd;
  const domain = new libvirt.Domain(
    'domain',
    {
      ...domainArguments(plan),
      kernel,
      initrd,
      disks: [{ volumeId: overlay.id }, { volumeId: seed.id }, { volumeId: base.id }],
      networkInterfaces: [{ networkId: network.id, mac: plan.network.mac, waitForLease: false }],
    },
    options,
  );
  return { domain: domain.name };
}

function declareNetwork(plan: Blueprint, options: { provider: libvirt.Provider }): libvirt.Network {
  return new libvirt.Network(
    'network',
    {
      name: plan.object,
      // An isolated network: only the hypervisor and the lab host are on it.
      mode: 'none',
      bridge: plan.network.bridge,
      addresses: [plan.network.subnet],
      dhcp: { enabled: false },
      dns: { enabled: false },
      xml: { xslt: networkXslt(plan.mark) },
    },
    options,
  );
}

function domainArguments(plan: Blueprint): libvirt.DomainArgs {
  const { domain, boot } = plan;
  return {
    name: plan.object,
    description: plan.mark,
    type: domain.type,
    arch: platforms[domain.architecture].name,
    // libvirt's default for x86 boots fastest; the provider's for ARM would be the first of a list.
    ...(domain.architecture === 'arm64' && { machine: platforms.arm64.machine }),
    cpu: { mode: domain.cpuMode },
    vcpu: domain.cpus,
    memory: domain.memoryMiB,
    // One "word" holds the whole line: the provider would sort several words, and the order of console= matters.
    cmdlines: [{ _: boot.cmdline }],
    running: true,
    xml: { xslt: domainXslt(domain.consoleFile, domain.architecture) },
  };
}

/**
 * An XSLT stylesheet that changes what `templates` match. The provider applies it with xsltproc to the XML that it
 * made. We use it for settings that the provider's schema lacks. libvirt's formats:
 * https://libvirt.org/formatdomain.html, https://libvirt.org/formatnetwork.html
 */
function stylesheet(templates: string): string {
  return `<?xml version="1.0"?>
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
  <xsl:output omit-xml-declaration="yes"/>
  <xsl:template match="node()|@*"><xsl:copy><xsl:apply-templates select="node()|@*"/></xsl:copy></xsl:template>
${templates}
</xsl:stylesheet>
`;
}

/**
 * The domain without screen, guest agent, USB and balloon, and with its serial console in a file. The overlay is
 * temporary, so it is never flushed to the machine's disk (cache=unsafe). On ARM also without firmware, which the
 * provider asks for, and without the features of a PC: the kernel is started directly and reads a device tree.
 */
export const domainXslt = (consoleFile: string, architecture: Architecture): string =>
  stylesheet(`${architecture === 'arm64' ? '  <xsl:template match="/domain/os/@firmware|/domain/features"/>\n' : ''}  <xsl:template match="/domain/devices/graphics|/domain/devices/video|/domain/devices/channel"/>
  <xsl:template match="/domain/devices">
    <xsl:copy>
      <xsl:apply-templates select="node()|@*"/>
      <serial type="file"><source path="${escapeXml(consoleFile)}" append="on"/><target port="0"/></serial>
      <controller type="usb" model="none"/>
      <memballoon model="none"/>
    </xsl:copy>
  </xsl:template>
  <xsl:template match="/domain/devices/disk[1]/driver">
    <xsl:copy><xsl:apply-templates select="@*"/><xsl:attribute name="cache">unsafe</xsl:attribute></xsl:copy>
  </xsl:template>
  <xsl:template match="/domain/devices/disk[2]">
    <xsl:copy><xsl:apply-templates select="node()|@*"/><readonly/></xsl:copy>
  </xsl:template>
  <xsl:template match="/domain/devices/disk[3]">
    <xsl:copy><xsl:apply-templates select="node()|@*"/><serial>${seatSerial}</serial><readonly/></xsl:copy>
  </xsl:template>`);

/** The network without dnsmasq (nothing here needs DHCP or DNS) and STP (it would block the only port for 4 s). */
export const networkXslt = (mark: string): string =>
  stylesheet(`  <xsl:template match="/network/dns"/>
  <xsl:template match="/network/bridge/@stp"><xsl:attribute name="stp">off</xsl:attribute></xsl:template>
  <xsl:template match="/network">
    <xsl:copy>
      <xsl:comment> ${escapeXml(mark).replaceAll('--', '- ')} </xsl:comment>
      <xsl:apply-templates select="node()|@*"/>
      <dns enable="no"/>
    </xsl:copy>
  </xsl:template>`);

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '{': '{{',
  '}': '}}',
};

/** Escapes text and attribute values. Braces are escaped too, because XSLT evaluates them in attributes. */
const escapeXml = (text: string): string => text.replaceAll(/[&<>"'{}]/g, (character) => entities[character] ?? '');
