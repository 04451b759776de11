# tutti bench prints tables whose parts add up, and a prediction, and writes no files.
. "$SOURCE_DIR/tests/e2e/lib.sh"
write_small_config

# table COLUMN COLUMN: the rows of the table that begins with these columns, as "name=value" words, one row per line.
table() {
  awk -F '\t' -v first="$1" -v second="$2" '
    $1 == first && $2 == second && !inside { for (i = 1; i <= NF; i++) name[i] = $i; n = NF; inside = 1; next }
    NF == 0 { inside = 0 }
    inside {
      if (NF != n) { print "bad row: " $0; exit }
      for (i = 1; i <= NF; i++) printf "%s=%s ", name[i], $i
      print ""
    }' "$out"
}

# get NAME: the values of a column in the rows on standard input.
get() { tr ' ' '\n' | sed -n "s/^$1=//p"; }

# gap [rest]: the largest relative difference between a step and the sum of its parts, with or without the rest.
gap() {
  table batch_size rows | tr ' ' '\n' | awk -F = -v rest="${1:-}" '
    $1 ~ /^(data|products|other_compute|wait|reduce|update)_s$/ { sum += $2 }
    $1 == "not_in_parts_s" && rest { sum += $2 }
    $1 == "step_s" { step = $2 }
    $1 == "slowest_rank" { off = sum / step - 1; if (off < 0) off = -off; if (off > most) most = off; sum = 0 }
    END { print most + 0 }'
}

# Another program that takes a core in between makes them differ, so there are three tries.
for try in 1 2 3; do
  succeed "$RANKS" bench small.yaml --batch_sizes=32,128 --seconds=0.002 --rounds=3 --bandwidth=1e9 --latency=2e-6
  [ "$(gap | awk '{ print $1 < 0.1 }')" = 0 ] || break
  note "try $try: the parts miss the step by $(gap)"
done
gap rest | awk '{ exit !($1 < 1e-4) }' || fail "with the rest, the parts miss the step by $(gap rest)"
expect_files . small.yaml

# --- a table is a line of names, and rows with as many fields; an empty line separates two tables -----------------------

awk -F '\t' 'NF == 0 { n = 0; next } n == 0 { n = NF } NF != n { exit 1 }' "$out" || fail 'a table with uneven rows'
awk 'NF == 0 { inside = 0; next } !inside++ { gsub("\t", "\n"); print }' "$out" | sort -u >columns.txt
table ranks nodes >run.txt
expect_same "$(get ranks <run.txt)" "$RANKS"
expect_same "$(get parameters <run.txt)" 1210
expect_same "$(get train_samples <run.txt)" 1294
get peak_all_gflops <run.txt | awk '{ exit !($1 > 0) }' || fail 'no peak'

# --- the round trip between cores is measured before and after the rest, if each rank has a core -------------------------

table round_trip_before_s round_trip_after_s >trip.txt
case $(get round_trip <trip.txt) in
one_thread | more_threads_than_cores) expect_same "$(get round_trip_before_s <trip.txt) $(get round_trip_after_s <trip.txt)" 'nan nan' ;;
interrupted) ;; # a busy machine
normal | slow | cores_without_a_common_cache | changed)
  tr ' ' '\n' <trip.txt | awk -F = '$1 ~ /_s$/ && !($2 > 0 && $2 < 1e-3) { exit 1 }' || fail "$(cat trip.txt)" ;;
*) fail "$(cat trip.txt)" ;;
esac
[ "$(get round_trip <trip.txt)" != changed ] || grep -q ' ns while this was measured: run it again' "$err" || fail 'no word of it'
[ "$(get threads <run.txt)" -le "$(get cores_of_node <run.txt)" ] || expect_same "$(get round_trip <trip.txt)" more_threads_than_cores

# --- steps: the parts add up to the step, which was timed from outside -----------------------------------------------------

table batch_size rows >steps.txt
expect_same "$(get batch_size <steps.txt | tr '\n' ' ')" '32 128 '
expect_same "$(get rows <steps.txt | head -n 1)" $(((32 + RANKS - 1) / RANKS))
while read -r row; do
  set --
  for part in data_s products_s other_compute_s wait_s reduce_s update_s; do
    value=$(echo "$row" | get $part)
    [ -n "$value" ] || fail "no $part in: $row"
    set -- "$@" "$value"
  done
  sum=$(printf '%s\n' "$@" | awk '{ s += $1 } END { printf "%.9g", s }')
  expect_close "$sum" "$(echo "$row" | get step_s)" 0.1
  # flops of the products: 64 x 16 without a gradient for the data, 16 x 10 with one
  echo "$row" | tr ' ' '\n' | awk -F = '{ v[$1] = $2 }
    END {
      flops = v["batch_size"] * (4 * 64 * 16 + 6 * 16 * 10) / v["step_s"] / 1e9
      rate = v["batch_size"] / v["step_s"]
      if (v["gflops"] / flops < 0.99 || v["gflops"] / flops > 1.01) exit 1
      if (v["samples_per_s"] / rate < 0.99 || v["samples_per_s"] / rate > 1.01) exit 1
      if (!(v["step_min_s"] > 0 && v["step_min_s"] <= v["step_s"])) exit 1
      if (!(v["products_s"] > 0 && v["products_min_s"] <= v["products_s"] && v["other_compute_s"] > 0)) exit 1
      if (!(v["wait_s"] >= 0 && v["reduce_s"] > 0 && v["data_s"] > 0 && v["update_s"] > 0)) exit 1
      if (!(v["blas_products_min_s"] > 0 && v["blas_products_min_s"] <= v["blas_products_s"])) exit 1
    }' || fail "numbers that do not belong together: $row"
done <steps.txt

# --- parts and memory -----------------------------------------------------------------------------------------------------

table memory_set_bytes memory_bytes_per_s >memories.txt
get memory_bytes_per_s <memories.txt | awk '!($1 > 0) { exit 1 }' || fail 'a memory without a rate'
expect_same "$(get memory <memories.txt | uniq | tr '\n' ' ')" 'cache memory '
expect_same "$(get memory_set_bytes <memories.txt)" "$(get memory_set_bytes <memories.txt | sort -n)"
table batch_size part >parts.txt
expect_same "$(get part <parts.txt | tr '\n' ' ' | sed 's/\(.*\)\1/\1/')" \
  'data products other_compute wait reduce update not_in_parts '
# Adam reads a gradient, weights and two slots, and writes all but the gradient.  Several ranks read the gradients of all, and
# write the sum.
moved() { awk -v batch="$1" -v part="$2" 'index($0, "batch_size=" batch " part=" part " ") == 1' parts.txt | get bytes; }
expect_same "$(moved 32 update)" $((1210 * 4 * (RANKS == 1 ? 7 : RANKS + 7)))
tr ' ' '\n' <parts.txt | awk -F = '{ v[$1] = $2 }
  $1 == "peak_share" {
    n++
    if (v["part"] == "products" && !(v["gflops"] > 0 && v["bytes"] > 0 && v["memory_share"] > 0)) exit 1
    if (v["part"] ~ /wait|reduce|not/ && !(v["bytes"] == 0 && v["memory"] == "none" && v["memory_share"] == "nan")) exit 1
    if (v["part"] ~ /data|other|update/ && !(v["bytes_per_s"] > 0 && v["memory_share"] > 0)) exit 1
  }
  END { exit n != 14 }' || fail "$(cat parts.txt)"

# --- reducers, network, layouts ------------------------------------------------------------------------------------------

table reducer ranks >reducers.txt
expect_same "$(get reducer <reducers.txt | tr '\n' ' ')" 'flat shared tree '
get reduce_min_s <reducers.txt | awk '!($1 > 0) { exit 1 }' || fail 'a reduction that takes no time'
table latency_s latency_from >network.txt
expect_same "$(get latency_s <network.txt) $(get latency_from <network.txt)" '2e-06 given'
expect_same "$(get bandwidth_bytes_per_s <network.txt) $(get bandwidth_from <network.txt)" '1e+09 given'
if [ "$RANKS" -gt 1 ]; then
  expect_same "$(get node_barrier_from <network.txt)" measured_within_node
  [ "$(table message_bytes measured_s | get fitted_s | wc -l)" -ge 5 ] || fail 'no fit'
fi
table layout_batch_size ranks_per_node >layouts.txt
expect_same "$(get best <layouts.txt | grep -c yes)" 1
get basis <layouts.txt | grep -q measured || fail 'no layout was measured'

# best: the row of the best command.  It does not bind a rank with several threads to one core, and after a disturbance it
# does not say how much faster it is.
best() { sed -n '/^best_command/{n;p;}' "$out"; }
check_best() {
  threads=$(best | sed -n 's/.* --parallel.threads=\([0-9]*\)\t.*/\1/p')
  case $(best) in
  *" --map-by slot:PE=$threads tutti train "* | *' --bind-to none tutti train '*) [ "$threads" -gt 1 ] ;;
  *) [ "$threads" -eq 1 ] ;;
  esac || fail "threads without cores, or cores without threads: $(best)"
  now=$(table ranks nodes | awk '{ print $1 " " $3 }')
  if [ "$now" = "ranks=$(best | sed 's/mpirun -np \([0-9]*\) .*/\1/') threads=$threads" ]; then
    expect_text ' as in this run, '
    expect_no_text 'times as fast'
  fi
  if grep -q 'is something else running here' "$err"; then
    expect_no_text 'times as fast' 'which is the fastest'
  else
    expect_no_text 'differ too much'
  fi
}
best | grep -q '^mpirun -np [0-9]* .*tutti train small.yaml --train.batch_size=32 --parallel.threads=' || fail 'no best command'
check_best

# --- predictions ---------------------------------------------------------------------------------------------------------

table batch_size ranks >predictions.txt
for ranks in 1 2 4 8 16 32 64 128 256 512 1024 2048 4096; do
  expect_same "$(get ranks <predictions.txt | grep -c -x $ranks)" 2
done
# Each one is the sum of its parts; the row with the ranks of this run has the measured step.
tr '\n' '|' <predictions.txt | sed 's/|/\n/g' | awk -v ranks="$RANKS" '{
  split("", v)
  for (i = 1; i <= NF; i++) { split($i, pair, "="); v[pair[1]] = pair[2] }
  sum = v["work_s"] + v["update_s"] + v["node_reduce_s"] + v["network_s"]
  if (sum / v["predicted_step_s"] < 0.999 || sum / v["predicted_step_s"] > 1.001) exit 1
  if (v["ranks"] == ranks) { if (!(v["measured_step_s"] > 0)) exit 1; n++ }
  else if (v["measured_step_s"] != "nan") exit 1
} END { if (n != 2) exit 1 }' || fail 'a prediction that is not the sum of its parts'
expect_same "$(table batch_size efficient_ranks | get useful_ranks | wc -l | tr -d ' ')" 2

# --- --help explains each column, and no other -------------------------------------------------------------------------------

[ "$RANKS" -gt 1 ] || printf '%s\n' message_bytes measured_s fitted_s >>columns.txt
run 1 bench --help
expect_status 0
# The names are at the left of the part about the tables, separated by commas.
sed -n '/^Tables/,/^Keys/s/^  \([a-z].*\)$/\1/p' "$out" | sed 's/   *.*//' | tr -s ', ' '\n\n' | sort -u >told.txt
expect_same "$(cat told.txt)" "$(sort -u columns.txt)"
rm columns.txt told.txt

# --- 256 ranks per node need no network ---------------------------------------------------------------------------------------

succeed "$RANKS" bench small.yaml --batch_sizes=32 --seconds=0.0005 --rounds=1 --ranks_per_node=256 \
  --parallel.threads=1
table batch_size ranks >predictions.txt
expect_same "$(get nodes <predictions.txt | sort -n | tail -n 1)" 16
expect_same "$(get threads <predictions.txt | sort -u)" 1
cores=$(table ranks nodes | get cores_of_node)
[ "$cores" -lt "$RANKS" ] || [ "$cores" -ge 256 ] ||
  expect_same "$(get cores <predictions.txt | uniq | tr '\n' ' ')" 'here assumed '
[ "$cores" -ge "$RANKS" ] || expect_same "$(get cores <predictions.txt | sort -u)" shared
refuse 64 ranks_per_node '4096 ranks with 2 threads' 'parallel.threads=1' -- \
  bench small.yaml --parallel.threads=2 --ranks_per_node=4096
if [ "$RANKS" -eq 1 ]; then
  # The number of doctor: cores that this process may use, or what a quota leaves of them.
  succeed 1 doctor
  expect_same "$cores" "$(awk -F '\t' '$1 == "cpu_quota" { quota = $2 }
    $1 == "rank" { getline; n = $4; if (quota > 0 && quota < n) n = quota < 1 ? 1 : int(quota); print n; exit }' "$out")"
fi
expect_same "$(get allreduce <predictions.txt | head -n 9 | sort -u)" none
expect_files . memories.txt parts.txt trip.txt predictions.txt run.txt steps.txt reducers.txt network.txt layouts.txt small.yaml

# --- by default, all sizes to which the batch grows within the budget, then the usual ones, each once ------------------------

succeed "$RANKS" bench small.yaml --train.epochs=3 --schedule.batch_growth=step --schedule.batch_factor=4 \
  --schedule.batch_milestones='1, 2, 30 epochs' --seconds=0.0005 --rounds=1
expect_same "$(table batch_size rows | get batch_size | tr '\n' ' ')" '32 128 512 16 64 1024 '

# --- leaves: the same products, leaf by leaf ------------------------------------------------------------------------------

succeed "$RANKS" bench small.yaml --batch_sizes=32 --seconds=0.0005 --rounds=1 --parallel.reduce=tree --parallel.leaves=5
expect_no_text "start 'mpirun" # the predictions leave the leaves out
table ranks nodes >run.txt
expect_same "$(get reducer <run.txt)" tree
expect_same "$(table batch_size rows | get rows)" "$([ "$RANKS" -eq 1 ] && echo 32 || echo 13)"

# --- the best command repeats the options; shards that are too small for batch_norm are not tried --------------------------

succeed "$RANKS" bench small.yaml --batch_sizes=2 --seconds=0.0005 --rounds=1 --parallel.threads=2 --train.batch_size=50 \
  --model.layers='[dense 32 relu, batch_norm, dense 10 softmax]' --optimizer.name=sgd --run.directory="it's"
best | grep -q -F " tutti train small.yaml --model.layers='[dense 32 relu, batch_norm, dense 10 softmax]' \
--optimizer.name=sgd --run.directory='it'\\''s' --train.batch_size=2 --parallel.threads=" || fail "not repeated: $(best)"
check_best

# --- what is refused -----------------------------------------------------------------------------------------------------

refuse 64 --batch_sizes=16,x "whole numbers" -- bench small.yaml --batch_sizes=16,x
refuse 64 --batch_sizes=0 "from 1" -- bench small.yaml --batch_sizes=0
refuse 78 "99999" "1294 training samples" -- bench small.yaml --batch_sizes=99999
refuse 78 train.batch_size -- bench small.yaml --train.batch_size=many
refuse 66 nothing.yaml -- bench nothing.yaml
[ "$RANKS" -eq 1 ] || exit 0
refuse 64 --batch_sizes= "whole numbers" -- bench small.yaml --batch_sizes=
refuse 64 --latency=-1 "above 0" -- bench small.yaml --latency=-1
refuse 64 --bandwidth=fast "above 0" -- bench small.yaml --bandwidth=fast
refuse 64 --ranks_per_node=0 "from 1" -- bench small.yaml --ranks_per_node=0
refuse 64 --seconds=0 "above 0" -- bench small.yaml --seconds=0
refuse 64 --rounds=1.5 "from 1" -- bench small.yaml --rounds=1.5
refuse 64 --batchsizes=3 "did you mean --batch_sizes" -- bench small.yaml --batchsizes=3
refuse 64 "'more'" "too many" -- bench small.yaml more
refuse 78 "is not finite" "learning_rate" -- bench small.yaml --batch_sizes=32 --optimizer.name=sgd \
  --optimizer.learning_rate=1e30
