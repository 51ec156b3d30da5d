import * as libvirt from '@pulumi/libvirt';
import { secret } from '@pulumi/pulumi';
import { domainXslt, networkXslt } from './xslt.ts';

/** Everything the program's resources are made from; all of it is known before the engine asks for the first one. */
export interface Blueprint {
  uri: string;
  /** Domain, network and pool. */
  object: string;
  mark: string;
  poolPath: string;
  base: { name: string; upload?: string };
  overlay: { name: string; sizeBytes?: number };
  seed: { name: string; userData: string; metaData: string; networkConfig: string };
  /** Paths on the hypervisor, or files to upload there. */
  boot: { kernel: string; initrd: string; cmdline: string; upload: boolean };
  network: { bridge: string; mac: string; subnet: string };
  domain: { cpus: number; memoryMiB: number; type: 'kvm' | 'qemu'; cpuMode: string; arch: string; consoleFile: string };
}

/**
 * The lab's resources. A base volume without `upload` is a file that is in the pool's folder already: the provider
 * takes a volume that exists as it is (terraform-provider-libvirt 0.8.3, resource_libvirt_volume.go), so that labs on
 * this machine share one image instead of copying it.
 */
export function declare(plan: Blueprint): { domain: libvirt.Domain['name'] } {
  const options = { provider: new libvirt.Provider('hypervisor', { uri: plan.uri }) };
  const pool = new libvirt.Pool('pool', { name: plan.object, type: 'dir', target: { path: plan.poolPath } }, options);
  const network = declareNetwork(plan, options);
  const upload = (name: string, source: string | undefined, format: string): libvirt.Volume =>
    new libvirt.Volume(name, { name, pool: pool.name, format, ...(source !== undefined && { source }) }, options);

  const baseFormat = plan.base.name.endsWith('.raw') ? 'raw' : 'qcow2';
  const base = upload(plan.base.name, plan.base.upload, baseFormat);
  const { sizeBytes } = plan.overlay;
  const overlay = new libvirt.Volume(
    'overlay',
    {
      name: plan.overlay.name,
      pool: pool.name,
      format: 'qcow2',
      baseVolumeId: base.id,
      ...(sizeBytes !== undefined && { size: sizeBytes }),
    },
    options,
  );
  const { seed } = plan;
  const cidata = new libvirt.CloudinitDisk(
    'seed',
    {
      name: seed.name,
      pool: pool.name,
      // It holds the lab host's private key.
      userData: secret(seed.userData),
      metaData: seed.metaData,
      networkConfig: seed.networkConfig,
    },
    options,
  );
  const { boot } = plan;
  const kernel = boot.upload ? upload('kernel', boot.kernel, 'raw').id : boot.kernel;
  const initrd = boot.upload ? upload('initrd', boot.initrd, 'raw').id : boot.initrd;
  const domain = new libvirt.Domain(
    'domain',
    {
      ...domainArguments(plan),
      kernel,
      initrd,
      // The provider's id of a seed is its volume's key and a random part after a semicolon.
      disks: [{ volumeId: overlay.id }, { volumeId: cidata.id.apply((id) => id.split(';')[0] ?? id) }],
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
      // Isolated: the hypervisor and the lab host, nothing else.
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
    arch: domain.arch,
    cpu: { mode: domain.cpuMode },
    vcpu: domain.cpus,
    memory: domain.memoryMiB,
    // One "word" holds the whole line: the provider would sort several, and the last console= matters.
    cmdlines: [{ _: boot.cmdline }],
    running: true,
    xml: { xslt: domainXslt(domain.consoleFile) },
  };
}
