# Several nodes, for which parts of this machine stand: `pipelined` gives the result of one rank, its training goes on with
# other ranks and nodes, and an error on the way ends all ranks.
. "$SOURCE_DIR/tests/e2e/lib.sh"
write_small_config
sed -i 's/dense 16 relu/dense 128 relu/' small.yaml # several blocks of parameters

succeed 1 train small.yaml --run.directory=runs/alone
alone=$(value test_loss)

# --- the result, in pieces of the usual length and in short ones ----------------------------------------------------------
for size in 1 2; do
  for piece in '' 1024; do
    export TUTTI_NODE_SIZE=$size
    # The short pieces are sent by a thread.
    if [ -n "$piece" ]; then export TUTTI_PIECE=$piece TUTTI_MPI_THREADS=multiple; fi
    succeed 4 train small.yaml --run.directory="runs/nodes-$size$piece" --parallel.reduce=pipelined
    expect_text "4 ranks on $((4 / size)) nodes" 'pipelined reduction'
    expect_close "$(value test_loss)" "$alone" 1e-4
    unset TUTTI_NODE_SIZE TUTTI_PIECE TUTTI_MPI_THREADS
  done
  # The length of the pieces is measured, so no bit may depend on it.
  for array in dense/kernel dense/bias dense_1/kernel; do
    "$ARRAYS" print "runs/nodes-$size/checkpoint.h5" "/model/weights/$array" >usual.txt
    "$ARRAYS" print "runs/nodes-${size}1024/checkpoint.h5" "/model/weights/$array" >short.txt
    cmp usual.txt short.txt || fail "$array depends on the length of the pieces, with nodes of $size"
  done
done

# --- on with other ranks ----------------------------------------------------------------------------------------------------
succeed 1 train small.yaml --run.directory=runs/alone --train.epochs=3
longer=$(value test_loss)
export TUTTI_NODE_SIZE=2
succeed 3 train small.yaml --run.directory=runs/nodes-1 --parallel.reduce=pipelined --train.epochs=3
unset TUTTI_NODE_SIZE
expect_close "$(value test_loss)" "$longer" 1e-3
succeed 2 train small.yaml --run.directory=runs/nodes-2 --parallel.reduce=pipelined --train.epochs=3
expect_text 'shared reduction' # as on each single node
expect_close "$(value test_loss)" "$longer" 1e-3

# --- what goes wrong --------------------------------------------------------------------------------------------------------
export TUTTI_NODE_SIZE=1
for fault in pipeline:1:5 step:1:7; do
  for threads in funneled multiple; do
    export TUTTI_FAULT=$fault TUTTI_MPI_THREADS=$threads
    run 3 train small.yaml --run.directory=runs/fault --parallel.reduce=pipelined
    unset TUTTI_FAULT TUTTI_MPI_THREADS
    [ "$status" -ne 0 ] || fail "$fault: a rank has failed, and nobody tells"
    expect_text 'rank 1' "fault injected at ${fault%%:*}"
    expect_quick
  done
done
export TUTTI_PIECE=many
refuse 78 "TUTTI_PIECE is 'many'" -- train small.yaml --run.directory=runs/bad --parallel.reduce=pipelined
unset TUTTI_PIECE
export TUTTI_NODE_SIZE=none
refuse 78 "TUTTI_NODE_SIZE is 'none'" -- train small.yaml --run.directory=runs/bad
