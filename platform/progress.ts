import {
  Listr,
  type ListrDefaultRendererLogLevels,
  ListrLogger,
  type ListrLogLevels,
  type ListrTask,
  ProcessOutput,
} from 'listr2'

/**
 * Runs tasks with live progress on stderr: a redrawn tree on a terminal, plain lines elsewhere.
 * listr2 writes to its process's stdout by default, which is for data here.
 */
export async function runTasks(
  tasks: readonly ListrTask<void>[],
  options: { readonly concurrent: boolean },
): Promise<void> {
  const processOutput = new ProcessOutput(process.stderr, process.stderr)
  await new Listr<void>([...tasks], {
    concurrent: options.concurrent,
    registerSignalListeners: false,
    renderer: 'default',
    rendererOptions: {
      logger: new ListrLogger<ListrDefaultRendererLogLevels>({ processOutput }),
      collapseErrors: false,
    },
    fallbackRenderer: 'simple',
    fallbackRendererOptions: { logger: new ListrLogger<ListrLogLevels>({ processOutput }) },
    fallbackRendererCondition: () => !process.stderr.isTTY,
  }).run()
}
