import { z } from '../kit.ts'

/** Given by a file, by `--set key=value`, or by the environment: LAKEDUEL_SOURCE_MY_SOURCE_API_KEY. */
export const configSchema = z.strictObject({
  /** The service of this example takes `demo-key`. */
  apiKey: z.string().min(1).default('demo-key'),
  /** Items that are asked for at once; the service gives no more than 100. */
  pageSize: z.int().min(1).max(100).default(100),
})
export type Config = Readonly<z.infer<typeof configSchema>>
