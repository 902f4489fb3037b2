import { open, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { FedweaveError } from '@fedweave/aggregator'

/**
 * Claims `folder` for this process; resolves to the function that gives it back. Throws `FL_CONFIG_INVALID` when a live
 * process holds it.
 *
 * A claim is an empty file `lock.<pid>.<birth>`. Birth (boot and start time of the process, from /proc) tells a process
 * from a later one that was given the same pid, so that a claim left by kill -9 never blocks. Every starter first
 * leaves its claim and then looks for others: of two that start at once at least one sees the other, so never do both
 * go on (both may refuse). Removing a dead claim needs no care, since its name belongs to that process alone; a single
 * lock file that is taken over would leave a moment in which a second starter removes the lock of the first.
 *
 * Without /proc (macOS) only the pid is compared. Processes on other machines or in other pid namespaces that share
 * the folder are not seen.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const mine = `lock.${process.pid}.${(await birthOf(process.pid)) ?? 'unknown'}`
  try {
    await (await open(join(folder, mine), 'wx', 0o600)).close()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw held(folder, mine, process.pid)
    throw error
  }
  const release = () => rm(join(folder, mine), { force: true })
  for (const name of await readdir(folder)) {
    const claim = /^lock\.(\d+)\.([\w-]+)$/.exec(name)
    if (claim === null || name === mine) continue
    if (await lives(Number(claim[1]), claim[2] as string)) {
      await release()
      throw held(folder, name, Number(claim[1]))
    }
    await rm(join(folder, name), { force: true })
  }
  return release
}

function held(folder: string, name: string, pid: number): FedweaveError {
  return new FedweaveError('FL_CONFIG_INVALID', `${folder} is in use by the process ${pid}`, {
    cure: `Stop that process, or give each server a folder of its own. If it is no server, remove ${join(folder, name)}.`,
  })
}

async function lives(pid: number, birth: string): Promise<boolean> {
  try {
    process.kill(pid, 0) // signal 0 sends nothing
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    // EPERM: it lives and belongs to another user
  }
  const now = await birthOf(pid)
  return now === undefined || now === birth
}

/** `dead` for a zombie: killed, holding nothing, only not yet waited for. Undefined where there is no /proc. */
async function birthOf(pid: number): Promise<string | undefined> {
  try {
    const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).slice(0, 8)
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    // proc(5): the second field is the command in brackets and may itself hold spaces and brackets; state is field 3, starttime field 22.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z' || fields[0] === 'X') return 'dead'
    return `${boot}-${fields[19]}`
  } catch {
    return undefined
  }
}
