usage() {
  cat << 'TEXT'
@usage@
TEXT
}

keep=
dry=
remove=
firewall=
uplink=
uplink_address=
waiter=
# The system's own programs, as sudo would have it.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

say() { printf '%s\n' "$*"; }
warn() { printf '%s\n' "$*" >&2; }
die() {
  warn "stopped: $*"
  exit 1
}

read_flags() {
  while (($# > 0)); do
    case $1 in
      --keep) keep=yes ;;
      --remove) remove=yes ;;
      --dry-run) dry=yes ;;
      --firewall)
        firewall=${2-}
        [[ $firewall == iptables || $firewall == nft ]] || usage_error '--firewall wants iptables or nft'
        shift
        ;;
      -h | --help)
        usage
        exit 0
        ;;
      *) usage_error "unknown option $1" ;;
    esac
    shift
  done
  [[ -z $keep || -z $remove ]] || usage_error 'give --keep or --remove, not both'
}

usage_error() {
  warn "$1 (--help says what there is)"
  exit 64
}

# --- one step ---------------------------------------------------------------------------------------------------------
# A command is `run`. `holds` tells whether there is nothing to do for it (any more); `first` writes down what it
# changes, `after` forgets that; `when` tells that somebody else has done it meanwhile.

fresh() {
  first() { :; }
  when() { :; }
  after() { :; }
  text=
  again=
}

# The command as one would type it.
show() {
  local body=$text
  if [[ -z $body ]]; then
    body=$(declare -f run)
    body=${body#*$'{ \n    '}
    body=${body%$'\n}'}
  fi
  say "    $body"
}

# Runs a command unless its state is there already, and waits until it is: the kernel takes some things apart later.
# So a run can be cut off at any moment, and the next one goes on.
apply() {
  if [[ -n $dry ]]; then
    show
  elif ! holds > /dev/null 2>&1; then
    first || die "$(show)"
    if when > /dev/null 2>&1; then
      show
      run < /dev/null 9<&- || die "$(show)"
    fi
    after || die "$(show)"
    settle
  fi
  fresh
}

settle() {
  local tries=100
  until holds > /dev/null 2>&1; do
    ((tries-- > 0)) || die "it had no effect: $(show)"
    if [[ -n $again ]]; then run < /dev/null 9<&- || die "$(show)"; else sleep 0.05; fi
  done
}

# A command that changes nothing.
try() {
  show
  [[ -n $dry ]] || run < /dev/null > /dev/null 9<&- || die "$(show)"
  fresh
}

# --- firewall rules ---------------------------------------------------------------------------------------------------
# Each rule is given twice: for iptables, and for nft where there is no iptables.

by_iptables() { ipt=("$@"); }
by_nft() { nft=("$@"); }

choose_firewall() {
  [[ -z $firewall ]] || return 0
  if [[ -n $dry ]]; then
    if type -P iptables > /dev/null; then firewall=iptables; else firewall=nft; fi
  elif iptables -S FORWARD > /dev/null 2>&1; then
    firewall=iptables
  elif nft list tables > /dev/null 2>&1; then
    firewall=nft
  else
    die 'neither iptables nor nft works here: install one of the packages iptables and nftables'
  fi
}

# What no rule of ours can undo: firewalld's table, and with nft any other that drops, as ours is then one of its own.
warn_of_others() {
  if firewall-cmd --state > /dev/null 2>&1; then
    warn "firewalld runs here and may reject what is forwarded: firewall-cmd --zone=trusted --add-interface=${links[0]}"
  fi
  if [[ $firewall == nft ]] && nft list ruleset 2> /dev/null | grep -q 'hook forward.*policy drop'; then
    warn "another table drops what is forwarded (nft list ruleset): unless it accepts ${links[0]}, nothing from outside gets in or out"
  fi
}

# rule ID: adds the rule that was given, once.
rule() {
  rule_id=$1
  if [[ $firewall == iptables ]]; then
    holds() { iptables "${ipt[@]/#-A/-C}"; }
    run() { iptables "${ipt[@]}"; }
    text="iptables ${ipt[*]}"
  else
    holds() { nft list table ip "$table" | grep -qF "\"$rule_id\""; }
    run() { nft add rule ip "$table" "${nft[@]}" comment "\"$rule_id\""; }
    text="nft add rule ip $table ${nft[*]} comment '\"$rule_id\"'"
  fi
  apply
}

# Takes away every copy of the rule that was given. nft's rules go with their table.
unrule() {
  [[ $firewall == iptables ]] || return 0
  holds() { ! iptables "${ipt[@]/#-D/-C}"; }
  run() { iptables "${ipt[@]}"; }
  text="iptables ${ipt[*]}"
  again=yes
  apply
}

drop_table() {
  [[ $firewall == nft ]] || return 0
  holds() { ! nft list table ip "$table"; }
  run() { nft delete table ip "$table"; }
  text="nft delete table ip $table"
  apply
}

# --- before anything is touched ---------------------------------------------------------------------------------------

check_machine() {
  ((EUID == 0)) || die 'this needs root: sudo bash SCRIPT'
  local tool missing=()
  for tool in "${!packages[@]}"; do
    type -P "$tool" > /dev/null || missing+=("$tool (package ${packages[$tool]})")
  done
  ((${#missing[@]} == 0)) || die "missing: ${missing[*]}"
}

# Whether an earlier run has begun here. What another plan's or chapter's script has built is that one's to take back.
has_begun() {
  [[ -e $state/began ]] || return 1
  local what
  read -r firewall what < "$state/began"
  [[ $what == "$built" ]] || die "what stands here is from another such script ($what, not $built): use that one"
}

# What bears our names and is not ours is left alone.
check_collisions() {
  local name found
  for name in "${links[@]}"; do
    ! ip link show dev "$name" > /dev/null 2>&1 || die "there is an interface $name already: it is not touched"
  done
  for name in "${netns[@]}"; do
    [[ ! -e /run/netns/$name ]] || die "there is a network namespace $name already: it is not touched"
  done
  found=$(ip -4 route show root "$subnet"; ip -4 route show match "$subnet" | grep -v '^default')
  [[ -z $found ]] || die "$subnet is in use here: $found"
  [[ -z $port ]] || [[ -z $(ss -Hltn "sport = :$port") ]] || die "somebody listens on port $port already"
}

# The interface of the default route. No rule names it, so all keeps working when it changes.
find_uplink() {
  uplink=$(ip -4 route show default | sed -n 's/.* dev \([^ ]*\).*/\1/p' | head -n 1)
  if [[ -z $uplink ]]; then
    warn 'there is no default route: the containers will not reach further than this host'
    return
  fi
  uplink_address=$(ip -4 -o addr show dev "$uplink" | sed -n 's/.* inet \([^/ ]*\).*/\1/p' | head -n 1)
  say "uplink $uplink ($uplink_address)"
}
