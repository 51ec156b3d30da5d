/**
 * What a learner's commands and a grader that trusts them are made of: looked at byte by byte from the seat. Libraries are
 * by their names in /usr/lib/ARCHITECTURE-linux-gnu.
 */
export const tools = {
  commands: [
    ...[
      'ip',
      'bridge',
      'ss',
      'tc',
      'nft',
      'conntrack',
      'brctl',
      'sysctl',
      'nsenter',
      'unshare',
      'lsns',
      'mount',
      'setsid',
    ],
    ...['iptables', 'iptables-save', 'iptables-restore', 'ip6tables', 'ip6tables-save', 'ip6tables-restore'],
    ...['iptables-nft', 'iptables-legacy', 'xtables-nft-multi', 'xtables-legacy-multi'],
    ...['ping', 'curl', 'wget', 'dig', 'host', 'getent', 'nc', 'socat', 'tcpdump', 'traceroute', 'openssl'],
    ...[
      'python3',
      'bash',
      'dash',
      'sh',
      'env',
      'sudo',
      'sshd',
      'ssh',
      'systemctl',
      'ps',
      'cat',
      'grep',
      'ls',
      'readlink',
    ],
  ],
  libraries: [
    ...['ld-linux-x86-64.so.2', 'ld-linux-aarch64.so.1', 'libc.so.6', 'libm.so.6', 'libresolv.so.2'],
    ...['libnss_files.so.2', 'libnss_dns.so.2', 'libnss_resolve.so.2', 'libnss_myhostname.so.2', 'libnss_compat.so.2'],
    ...['libmnl.so.0', 'libnftnl.so.11', 'libnftables.so.1', 'libxtables.so.12', 'libnetfilter_conntrack.so.3'],
    ...['libcurl.so.4', 'libssl.so.3', 'libcrypto.so.3', 'libtinfo.so.6', 'libcap.so.2', 'libelf.so.1', 'libbpf.so.1'],
  ],
  /** What the dynamic linker reads before all else: ld.so(8). */
  settings: ['/etc/ld.so.preload', '/etc/ld.so.conf', '/etc/ld.so.cache'],
  /** Where a shell learns other meanings of a command. */
  shells: ['/root/.bashrc', '/root/.bash_aliases', '/root/.bash_profile', '/root/.profile', '/home/lab/.bashrc']
    .concat([
      '/home/lab/.bash_aliases',
      '/home/lab/.bash_profile',
      '/home/lab/.profile',
      '/etc/bash.bashrc',
      '/etc/profile',
    ])
    .concat(['/etc/environment']),
} as const;
