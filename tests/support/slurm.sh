# A Slurm of its own for a test: two nodes of four slots each on this machine.  To be sourced after e2e/lib.sh.
#
# Both nodes are this machine, so each slurmd gets a host name and a file of hosts of its own.  Everything listens on 127.0.0.1
# and lies in one folder, and the daemons end with the test.  Where Slurm is not installed, or this user may not make name
# spaces, the test is skipped.

# A short path, because sockets are in there.
slurm=$(mktemp -d /tmp/tutti-XXXXXX) || exit 1
PATH=$PATH:/usr/sbin:/sbin
# Open MPI has to find these nodes, and waiting ranks must leave their core to others.
export SLURM_CONF="$slurm/slurm.conf" OMPI_MCA_oob_tcp_if_include=lo OMPI_MCA_btl_tcp_if_include=lo
export OMPI_MCA_mpi_yield_when_idle=1

skip() {
  rm -rf "$slurm"
  echo "skipped: $*"
  exit 77
}

is_listening() { # PORT
  grep -qi ":$(printf %04X "$1") [0-9]*:0000 0A" /proc/net/tcp
}

# The first of three ports that nobody uses.
find_port() {
  port=$((20000 + $$ % 2000 * 5))
  while is_listening $port || is_listening $((port + 1)) || is_listening $((port + 2)); do port=$((port + 5)); done
}

write_slurm_conf() {
  cat >"$SLURM_CONF" <<CONF
ClusterName=tutti
SlurmctldHost=$(hostname)(127.0.0.1)
SlurmctldPort=$port
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
AuthInfo=socket=$slurm/munge/socket,cred_expire=5
StateSaveLocation=$slurm/state
SlurmdSpoolDir=$slurm/%n
TmpFS=$slurm/%n
SlurmctldPidFile=$slurm/slurmctld.pid
SlurmdPidFile=$slurm/%n.pid
SlurmctldLogFile=$slurm/slurmctld.log
SlurmdLogFile=$slurm/%n.log
# Slots only: neither processors nor memory are measured out.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/builtin
SchedulerParameters=batch_sched_delay=0,sched_interval=1
KillWait=5
ReturnToService=2
NodeName=node1 NodeAddr=127.0.0.1 Port=$((port + 1)) CPUs=4 RealMemory=100000
NodeName=node2 NodeAddr=127.0.0.1 Port=$((port + 2)) CPUs=4 RealMemory=100000
# A job of the second partition takes the nodes of the first one.
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
PartitionName=all Nodes=ALL Default=YES
PartitionName=urgent Nodes=ALL PriorityTier=2
CONF
}

# start_daemon COMMAND...: in the background, until this shell ends.
daemons=
start_daemon() {
  setpriv --pdeathsig TERM "$@" >>"$slurm/daemons.log" 2>&1 </dev/null &
  daemons="$! $daemons"
}

start_node() { # NAME
  mkdir -p "$slurm/$1"
  start_daemon unshare --uts --mount sh -c \
    "mount --bind '$slurm/hosts' /etc/hosts && hostname $1 && exec slurmd -D -N $1"
}

# wait_until SECONDS COMMAND...
wait_until() {
  tries=$(($1 * 5))
  shift
  until "$@"; do
    tries=$((tries - 1))
    [ $tries -gt 0 ] || return 1
    sleep 0.2
  done
}

munge_answers() { munge -n -S "$slurm/munge/socket" >/dev/null 2>&1; }
nodes_are_idle() { [ "$(sinfo -h -N -p all -o %T 2>/dev/null | grep -c idle)" = 2 ]; }
no_job_is_left() { [ -z "$(squeue -h -o %i 2>/dev/null)" ]; }

start_slurm() {
  for program in slurmctld slurmd sbatch munged mungekey; do
    command -v $program >/dev/null || skip "Slurm is not installed ($program; Debian: slurmctld slurmd slurm-client munge)"
  done
  unshare --uts --mount true 2>/dev/null || skip 'this user may not give two nodes host names of their own'
  find_port
  write_slurm_conf
  { cat /etc/hosts && echo 127.0.0.1 node1 node2; } >"$slurm/hosts"
  mkdir -p "$slurm/state" "$slurm/munge"
  chmod 755 "$slurm" "$slurm/munge"
  mungekey --create --keyfile="$slurm/munge/key"
  start_daemon munged --foreground --force --key-file="$slurm/munge/key" --socket="$slurm/munge/socket" \
    --pid-file="$slurm/munge/pid" --seed-file="$slurm/munge/seed" --log-file="$slurm/munge/log"
  wait_until 20 munge_answers || fail "munge does not start: $(tail -n 3 "$slurm/daemons.log")"
  start_daemon slurmctld -D -i
  start_node node1
  start_node node2
  wait_until 60 nodes_are_idle || fail "Slurm does not start: $(tail -n 5 "$slurm"/*.log)"
}

# A daemon that has ended is a zombie until this shell waits for it.
daemons_are_gone() {
  # shellcheck disable=SC2086
  ! ps -o stat= -p "$(echo $daemons | tr ' ' ,)" | grep -q '^[^Z]'
}

stop_slurm() {
  [ -n "$daemons" ] || return 0
  squeue -h -o %i 2>/dev/null | xargs -r scancel --full
  wait_until 20 no_job_is_left || note 'jobs were left'
  # shellcheck disable=SC2086 # a list of numbers
  kill $daemons
  wait_until 20 daemons_are_gone || kill -KILL $daemons
  wait
  rm -rf "$slurm"
}
