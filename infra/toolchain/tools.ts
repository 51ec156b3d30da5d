import { arch } from 'node:os';
import { join } from 'node:path';

/** Go's and the vendor's names of this machine's processor. */
const goArch = arch() === 'arm64' ? 'arm64' : 'amd64';
const vendorArch = arch() === 'arm64' ? 'arm64' : 'x64';

/** One program of the toolchain: what it is built from, and where its file goes in the artifact's folder. */
export interface Tool {
  /** The artifact's name. */
  name: 'pulumi' | 'bridge' | 'libvirt' | 'sdkgen';
  /** Its Go module: a folder under go/ with go.mod and go.sum. What tools of one module share is compiled once. */
  module: 'engine' | 'libvirt';
  title: string;
  /** Without `v`. */
  version: string;
  /** Go package of the main program; `./FOLDER`: its main.go is ours, in the module's folder. */
  package: string;
  /** `-X` values for the linker: importpath.name=value. */
  stamps: readonly string[];
  /** Path of the program in the artifact's folder. */
  file: string;
  /** How long a first build takes on two cores. */
  takes: string;
  /** The vendor's own build, for machines that can reach it. Absent when the vendor publishes no checksum to pin. */
  download?: { url: string; sha256: string; member: string };
}

const vendorChecksums = {
  arm64: 'edc8327463a72160bb36cf82cf5062da9c8a244290a706d9980988e7bf486853',
  x64: '94ba357acac23d01474084c4b00098dc0f7bc70ce13f34c777459254a5f718e5',
} as const;

const bridgeVersion = '1.1.3';
const pulumiVersion = '3.259.0';
const libvirtVersion = '0.8.3';

/** The engine. The checksums are those of the vendor's Homebrew formula for this version. */
export const pulumi: Tool = {
  name: 'pulumi',
  module: 'engine',
  title: `Pulumi CLI ${pulumiVersion}`,
  version: pulumiVersion,
  package: 'github.com/pulumi/pulumi/pkg/v3/cmd/pulumi',
  stamps: [`github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${pulumiVersion}`],
  file: 'bin/pulumi',
  takes: '4 minutes',
  download: {
    url: `https://get.pulumi.com/releases/sdk/pulumi-v${pulumiVersion}-linux-${vendorArch}.tar.gz`,
    sha256: vendorChecksums[vendorArch],
    member: 'pulumi/pulumi',
  },
};

/** Runs any Terraform provider as a Pulumi one. Its protobuf packages register twice; the last stamp allows that. */
export const bridge: Tool = {
  name: 'bridge',
  module: 'engine',
  title: `Terraform bridge ${bridgeVersion}`,
  version: bridgeVersion,
  package: 'github.com/pulumi/pulumi-terraform-bridge/v3/dynamic',
  stamps: [
    `github.com/pulumi/pulumi-terraform-bridge/v3/dynamic/version.version=v${bridgeVersion}`,
    'google.golang.org/protobuf/reflect/protoregistry.conflictPolicy=ignore',
  ],
  file: `plugins/resource-terraform-provider-v${bridgeVersion}/pulumi-resource-terraform-provider`,
  takes: '1 minute',
};

/** The libvirt provider, where the bridge looks for a provider that it has already fetched. */
export const libvirt: Tool = {
  name: 'libvirt',
  module: 'libvirt',
  title: `libvirt provider ${libvirtVersion}`,
  version: libvirtVersion,
  package: 'github.com/dmacvicar/terraform-provider-libvirt',
  stamps: [`main.version=${libvirtVersion}`],
  file: `registry.opentofu.org/dmacvicar/libvirt/${libvirtVersion}/linux_${goArch}/terraform-provider-libvirt_v${libvirtVersion}`,
  takes: '30 seconds',
};

/** The engine's generator of SDKs. `pulumi package gen-sdk` would want a language host, which is not built for us. */
export const sdkgen: Tool = {
  name: 'sdkgen',
  module: 'engine',
  title: 'SDK generator',
  version: pulumiVersion,
  package: './sdkgen',
  stamps: [],
  file: 'sdkgen',
  takes: 'seconds after the CLI, else 2 minutes',
};

/** GOARCH of this machine. */
export const toolchainGoArch = goArch;

/** The folder with go.mod and go.sum of one module. */
export const moduleFolder = (module: Tool['module']): string => join(import.meta.dirname, 'go', module);

/** Flags for every build. `-mod=readonly`: Go reports an incomplete go.sum as an error instead of changing it. */
export const buildFlags = [
  '-mod=readonly',
  '-trimpath',
  '-buildvcs=false',
  '-gcflags=all=-dwarf=false',
  '-tags',
  'osusergo,grpcnotrace',
] as const;
