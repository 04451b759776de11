# With reduce=tree a processor whose vectors are narrower comes to the same bits: the emulator qemu has no AVX-512.
. "$SOURCE_DIR/tests/e2e/lib.sh"
narrow='qemu-x86_64 -cpu Haswell'
call "$TUTTI" doctor
[ "$status" -eq 0 ] && grep -q 'vector_units	AVX-512' "$out" && $narrow "$(command -v env)" 2>/dev/null >/dev/null || {
  echo 'skipped: there is no AVX-512 here, or no qemu-x86_64'
  exit 77
}
grep -a -q __asan_init "$TUTTI" && {
  echo 'skipped: the emulator has no room for the shadow memory of the address sanitizer'
  exit 77
}
# shellcheck disable=SC2086 # a command with its options
call $narrow "$TUTTI" doctor
expect_text 'vector_units	AVX2'

# What has loops of its own for each width: products, normalisation, noise, activations, norms, penalties, an optimizer.
write_small_config
set -- train small.yaml --parallel.reduce=tree --run.measure=all --optimizer.global_clipnorm=1 --optimizer.weight_decay=0.01 \
  --model.layers='[gaussian_noise 0.1, dense 40 l2=1e-4, prelu, batch_norm, layer_norm, dropout 0.2, dense 24 gelu, dense 10 softmax]'
for optimizer in adam lamb sgd; do
  succeed 1 "$@" --optimizer.name=$optimizer --run.directory=runs/wide
  # shellcheck disable=SC2086 # a command with its options
  call $narrow "$TUTTI" "$@" --optimizer.name=$optimizer --run.directory=runs/narrow
  expect_status 0
  for array in dense/kernel dense_1/kernel dense_2/bias batch_normalization/gamma batch_normalization/moving_variance; do
    "$ARRAYS" print runs/wide/checkpoint.h5 /model/weights/$array >wide.txt
    "$ARRAYS" print runs/narrow/checkpoint.h5 /model/weights/$array >narrow.txt
    cmp wide.txt narrow.txt || fail "$optimizer: other bits of $array with AVX2"
  done
  rm -r runs
done
