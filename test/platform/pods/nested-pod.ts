import { createPod } from '../../../platform/pods/mechanism.ts'

/** A member of a pod that makes a pod of its own, as a worker does for each load. Prints the id of the process in it. */
const pod = await createPod({ name: 'inner', memoryCapBytes: 128 * 2 ** 20 })
const inner = pod.spawn('sleep', ['1000'])
process.stdout.write(`${inner.pid}\n`)
await inner
