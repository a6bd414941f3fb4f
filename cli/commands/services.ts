import { Command } from 'commander'
import { type Config, loadConfig } from '../../platform/config/load.ts'
import { redact } from '../../platform/config/redact.ts'
import { interruptSignal } from '../../platform/interrupt.ts'
import { endHeldServices, type HeldServices, readHeldServices } from '../../platform/services/held.ts'
import { holdServices } from '../../platform/services/hold.ts'

interface OutputOptions {
  readonly json?: boolean
  readonly showSecrets?: boolean
  readonly config?: string
}

/** `lakeduel services up | down | status`: services that several runs share. */
export function servicesCommand(): Command {
  const command = new Command('services').description('hold an object store and a Postgres for repeated runs')
  command.addCommand(
    outputCommand('up', 'start what is not configured, in Docker or locally, and let it run').action(up),
  )
  command.addCommand(
    outputCommand('down', 'end what `services up` started, and remove its data').action(down),
  )
  command.addCommand(outputCommand('status', 'tell what is held, and where').action(status))
  return command
}

function outputCommand(name: string, description: string): Command {
  const command = new Command(name).description(description)
  command.option('--json', 'print JSON').option('--config <file>', 'read this config file')
  return name === 'down' ? command : command.option('--show-secrets', 'print keys and passwords too')
}

async function up(options: OutputOptions): Promise<void> {
  const config = await configOf(options)
  const report = (text: string): void => void process.stderr.write(`${text}\n`)
  printHeld(await holdServices(config, { signal: interruptSignal(), report }), options)
}

async function down(options: OutputOptions): Promise<void> {
  const { home } = await configOf(options)
  const ended = await endHeldServices(home)
  print(
    options,
    { ended },
    ended ? 'The held services are ended, and their data is removed.' : 'No services were held.',
  )
}

async function status(options: OutputOptions): Promise<void> {
  const { home } = await configOf(options)
  printHeld(await readHeldServices(home), options)
}

function configOf({ config }: OutputOptions): Promise<Config> {
  return loadConfig({ configFile: config })
}

function printHeld(held: HeldServices | null, options: OutputOptions): void {
  const shown = options.showSecrets ? held : redact(held)
  if (held === null) {
    print(options, { held: null }, 'No services are held; `lakeduel services up` starts them.')
    return
  }
  print(options, { held: shown }, describeHeld(held, options.showSecrets ?? false))
}

function describeHeld({ keeper, servers: { s3, postgres } }: HeldServices, showSecrets: boolean): string {
  const lines = [`Held by process ${keeper.pid}, until \`lakeduel services down\`:`]
  if (s3 !== null) {
    lines.push(`  object store  ${s3.url}  (${s3.version ?? 'unknown version'}, ${s3.origin})`)
    if (showSecrets)
      lines.push(
        `                AWS_ACCESS_KEY_ID=${s3.accessKeyId} AWS_SECRET_ACCESS_KEY=${s3.secretAccessKey}`,
      )
  }
  if (postgres !== null) {
    const { host, port, user, password, database, origin } = postgres
    lines.push(`  Postgres      postgresql://${user}@${host}:${port}/${database}  (${origin})`)
    if (showSecrets) lines.push(`                PGPASSWORD=${password}`)
  }
  return lines.join('\n')
}

function print(options: OutputOptions, data: unknown, text: string): void {
  process.stdout.write(`${options.json ? JSON.stringify(data, null, 2) : text}\n`)
}
