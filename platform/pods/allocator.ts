const MIB = 2 ** 20

/**
 * Variables by which a process that runs an engine gives memory back, for the engines of both formats alike. glibc otherwise
 * raises its thresholds with the largest buffer that was freed and keeps what it frees, in as many arenas as there are
 * threads: the least cap of a `ducklake/delete-insert` merge fell from 141 and 150 MiB to 132 MiB with them. Lower thresholds map
 * every buffer anew: for wide rows 128 KiB saves 26 MiB more and takes more than twice the time.
 */
export const GLIBC_MALLOC = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: String(4 * MIB),
  MALLOC_TRIM_THRESHOLD_: String(16 * MIB),
}
