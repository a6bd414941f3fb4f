// Makes `npm run bench` and `npm test` work as the first command after `git clone`. Plain JavaScript without dependencies,
// since it runs before there are any, on whatever Node the user has. It runs as a `pre…` script of its own: within one
// command line a shell may keep the Node that it found first, while the next script finds the pinned one of node_modules.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const OLDEST_NODE_MAJOR = 20
const LOCK_POLL_MS = 500

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const lock = join(root, '.lakeduel', 'npm-install.lock')

main()

function main() {
  requireNode()
  if (isInstalled()) return
  acquireLock()
  process.on('exit', () => rmSync(lock, { recursive: true, force: true }))
  if (!isInstalled()) installPackages()
}

function requireNode() {
  const [major = 0] = process.versions.node.split('.').map(Number)
  if (major >= OLDEST_NODE_MAJOR) return
  fail(
    `lakeduel needs Node ${OLDEST_NODE_MAJOR} or newer to install the Node that it pins, and this is ${process.version} (${process.execPath}).`,
    'Install a newer one from https://nodejs.org or with a version manager, such as: nvm install 24.',
  )
}

// npm writes node_modules/.package-lock.json last, with what it has really installed.
function isInstalled() {
  const wanted = readPackages('package-lock.json')
  const installed = readPackages(join('node_modules', '.package-lock.json'))
  const matches = Object.entries(wanted).every(
    ([path, entry]) => path === '' || isSatisfied(entry, installed[path]),
  )
  // The pinned Node is fetched by an install script, which `npm ci --ignore-scripts` leaves out.
  return matches && existsSync(join(root, 'node_modules', 'node', 'bin', 'node'))
}

// An optional package is missing where it is made for another platform.
function isSatisfied(wanted, installed) {
  return installed ? installed.version === wanted.version : Boolean(wanted.optional || wanted.devOptional)
}

function readPackages(path) {
  try {
    return JSON.parse(readFileSync(join(root, path), 'utf8')).packages
  } catch {
    return {}
  }
}

// Two installations at once would remove one another's files.
function acquireLock() {
  mkdirSync(dirname(lock), { recursive: true })
  for (let waited = false; !tryLock(); waited = true) {
    const owner = Number(readOwner())
    if (owner && !isAlive(owner)) rmSync(lock, { recursive: true, force: true })
    else if (!waited) process.stderr.write('lakeduel: waiting for another installation in this checkout\n')
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_POLL_MS)
  }
  writeFileSync(join(lock, 'pid'), String(process.pid))
}

function tryLock() {
  try {
    mkdirSync(lock)
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
}

function readOwner() {
  try {
    return readFileSync(join(lock, 'pid'), 'utf8')
  } catch {
    return ''
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

function installPackages() {
  process.stderr.write('lakeduel: installing npm packages (about a minute the first time)\n')
  // npm names itself when it runs a script. Its output goes to stderr, as stdout is for data.
  const npm = process.env.npm_execpath
  const [command, args] = npm ? [process.execPath, [npm]] : ['npm', []]
  // `npm ci` refuses a lock file without the optional packages of other platforms, as a registry that lacks those gives it.
  // `npm install --no-save` takes the same locked versions and writes neither package.json nor the lock file.
  const { status, signal, error } = spawnSync(
    command,
    [...args, 'install', '--no-save', '--no-audit', '--no-fund'],
    {
      cwd: root,
      stdio: ['ignore', 2, 2],
    },
  )
  if (status === 0) return
  const reason = error?.message ?? (signal ? `ended by ${signal}` : `exit code ${status}`)
  fail(
    `lakeduel: npm install failed (${reason}).`,
    'The lines above give the cause; run `npm install --no-save` by hand once it is mended.',
  )
}

function fail(...lines) {
  process.stderr.write(`${lines.join('\n')}\n`)
  process.exit(3)
}
