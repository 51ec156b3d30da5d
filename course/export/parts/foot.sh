
# --- the whole --------------------------------------------------------------------------------------------------------

# One program at a time, known to have begun: from here on what bears our names is ours.
begin() {
  mkdir -p "$state"
  exec 9< "$state"
  flock -n 9 || die 'this is at work here already'
  [[ -d /run/netns || -e $state/began ]] || touch "$state/netns"
  [[ -e $state/began ]] || echo "$firewall $built" > "$state/began"
}

# The folder of names that the first `ip netns add` made, and mounted on itself.
forget_netns() {
  [[ -e $state/netns && -z $(ls -A /run/netns 2> /dev/null) ]] || return 0
  umount /run/netns 2> /dev/null
  rmdir /run/netns 2> /dev/null
}

# On the way out, however that came about. A signal can't cut it short.
leave() {
  local code=$?
  trap '' INT TERM HUP PIPE
  # Nobody reads any more.
  ((code != 141)) || exec > /dev/null
  trap 'warn "not all of it is taken back: --remove goes on"' EXIT
  [[ -z $waiter ]] || { kill "$waiter" && wait "$waiter"; } 2> /dev/null
  if [[ -n $keep && -z $remove ]]; then
    warn 'it is left as it is: run it again to go on, or with --remove to take it back'
  else
    say 'taking it back'
    take_back
    forget_netns
    rm -rf "$state"
    say 'all of it is gone'
  fi
  trap - EXIT
  exit "$code"
}

# Whether an HTTP server answers at an address.
answers() {
  # shellcheck disable=SC2016 # $0 and $1 are the inner bash's
  timeout 5 bash -c 'exec 3<> "/dev/tcp/$0/$1" && printf "GET / HTTP/1.0\r\n\r\n" >&3 && head -n 1 <&3' "$1" "$port" \
    2> /dev/null | grep -q ' 200 '
}

# The published port, from this host.
test_port() {
  [[ -n $port ]] || return 0
  local address
  for address in 127.0.0.1 $uplink_address; do
    answers "$address" ||
      die "http://$address:$port/ does not answer: does another firewall here drop what is forwarded? nft list ruleset"
    say "http://$address:$port/ answers"
  done
}

main() {
  read_flags "$@"
  fresh
  if [[ -n $dry ]]; then
    choose_firewall
    build
    say '--- and back:'
    take_back
    exit 0
  fi
  check_machine
  if has_begun; then
    [[ -z $remove ]] || { begin && leave; }
  else
    [[ -z $remove ]] || die 'there is nothing of this here'
    choose_firewall
    check_collisions
  fi
  find_uplink
  begin
  trap leave EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  trap 'exit 129' HUP
  trap 'exit 141' PIPE
  build
  test_port
  warn_of_others
  say 'all of it stands'
  if [[ -n $keep ]]; then
    trap - EXIT
    say 'it stays: --remove takes it back'
    exit 0
  fi
  say 'Ctrl-C takes it back'
  sleep infinity 9<&- &
  waiter=$!
  wait "$waiter"
}

main "$@"
