import { type Cheat, liar } from './cheat.ts';

/**
 * A shared library for x86-64, made without a compiler: one segment, and DT_INIT, which the C library calls with main's
 * (argc, argv, envp). Where argv[0] begins with a tool's name the program goes on as /root/liar: execve(2).
 */
const library = String.raw`import struct
names = [b"ping", b"curl", b"ipta", b"dig\0"]
code = b"\x48\x8b\x06\x8b\x00"                              # mov rax, [rsi]; mov eax, [rax]
end = len(code) + 7 * len(names) + 13
for name in names:
    code += b"\x3d" + name + b"\x74" + bytes([end - len(code) - 7])  # cmp eax, NAME; je end
code += b"\x25\xff\xff\xff\0" + b"\x3dip\0\0" + b"\x74\x01" + b"\xc3"  # and eax, 0xffffff; cmp eax, "ip"; je end; ret
code += b"\xb8\x3b\0\0\0" + b"\x48\x8d\x3d\x03\0\0\0" + b"\x0f\x05\xc3" + b"/root/liar\0"  # execve("/root/liar", argv, envp)
TEXT = 0x1000
strings = TEXT + len(code) + -len(code) % 16
tags = [(5, strings), (6, strings + 16), (10, 1), (11, 24), (12, TEXT), (0, 0)]  # DT_STRTAB, SYMTAB, STRSZ, SYMENT, INIT
dynamic = strings + 16 + 24
data = code.ljust(strings - TEXT, b"\0") + bytes(40) + b"".join(struct.pack("<QQ", *tag) for tag in tags)
head = b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, 2, 64, 0, 0)
head += struct.pack("<IIQQQQQQ", 1, 7, TEXT, TEXT, TEXT, len(data), len(data), 0x1000)
head += struct.pack("<IIQQQQQQ", 2, 6, dynamic, dynamic, dynamic, 16 * len(tags), 16 * len(tags), 8)
with open("/root/libtrust.so", "wb") as file:
    file.write(head.ljust(TEXT, b"\0") + data)`;

export const preload: Cheat = {
  name: 'preload',
  what: 'a library in /etc/ld.so.preload turns ping, curl, ip, iptables and dig into a liar; none of their files is changed',
  script: `${liar('/root/liar')}
python3 - <<'PYTHON'
${library}
PYTHON
echo /root/libtrust.so >/etc/ld.so.preload`,
  naive: 'pass',
  caught: ['namespaces.ct1', 'bridge.exists', 'egress.ct1', 'publish.outside'],
  seen: /ld\.so\.preload/,
};
