/** Arguments for Node: allocates and touches whole MiB in steps, says `done`, and waits for its stdin to close. */
export function allocating(mebibytes: number): readonly string[] {
  const script = `
    const held = []
    process.stdin.once('data', () => {
      for (let i = 0; i < ${mebibytes}; i++) held.push(Buffer.alloc(2 ** 20, 1))
      console.log('done')
    })
    process.stdin.on('end', () => process.exit(held.length > 0 ? 0 : 1))
    console.log('ready')`
  return ['-e', script]
}

/** As `allocating`, but gives all of it back at once before it says `done`. */
export function spiking(mebibytes: number): readonly string[] {
  const script = `
    process.stdin.once('data', () => {
      const spike = new ArrayBuffer(${mebibytes} * 2 ** 20)
      new Uint8Array(spike).fill(1)
      spike.transfer(0)
      console.log('done')
    })
    process.stdin.on('end', () => process.exit())
    console.log('ready')`
  return ['-e', script]
}

/** Uses up processor time, says how many seconds it has used since it was started, and ends when its stdin closes. */
export function burning(milliseconds: number): readonly string[] {
  const script = `
    const used = () => process.cpuUsage().user + process.cpuUsage().system
    while (used() < ${milliseconds} * 1000) for (let i = 0; i < 1e6; i++);
    console.log(used() / 1e6)
    process.stdin.resume()`
  return ['-e', script]
}
