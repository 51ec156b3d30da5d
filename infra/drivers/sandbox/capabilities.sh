# shellcheck shell=sh
# What root in a sandbox does without: capabilities over the machine itself (capabilities(7)), not over its networks.
# shellcheck disable=SC2034 # read by the script that sources this
without=-sys_module,-sys_rawio,-sys_time,-sys_boot,-mknod,-syslog,-mac_admin,-mac_override,-audit_control,-sys_pacct
