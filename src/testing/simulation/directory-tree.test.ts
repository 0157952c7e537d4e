import { describe, expect, it } from 'vitest'
import { SimulatedDisk } from './disk.ts'
import { SeededRandom } from './seeded-random.ts'

function diskWith(seed: number): SimulatedDisk {
  return new SimulatedDisk(new SeededRandom(seed), {})
}

function syncDirectory(disk: SimulatedDisk, path: string): void {
  disk.directorySynced(disk.directory('sync', path), disk.directoryMark())
}

function write(disk: SimulatedDisk, path: string, text: string, isSynced: boolean): void {
  const content = disk.open(path, 'create')
  disk.write(content, path, Buffer.from(text), 0)
  if (isSynced) content.synced(content.mark())
}

function textsAfterPowerLoss(prepare: (disk: SimulatedDisk) => void): Set<string> {
  const outcomes = new Set<string>()
  for (let seed = 0; seed < 200; seed += 1) {
    const disk = diskWith(seed)
    prepare(disk)
    disk.losePower()
    const files = [...disk.files()].map(([path, bytes]) => `${path}=${bytes.toString()}`)
    outcomes.add(files.join(' '))
  }
  return outcomes
}

describe('the directories of a simulated disk', () => {
  it('may lose a name whose directory was not synced, with everything below it', () => {
    const outcomes = textsAfterPowerLoss((disk) => {
      disk.makeDirectory('/data')
      write(disk, '/data/a', 'A', true)
      syncDirectory(disk, '/data')
    })
    expect(outcomes).toEqual(new Set(['', '/data/a=A']))
  })

  it('keep what was synced, content and name', () => {
    const outcomes = textsAfterPowerLoss((disk) => {
      disk.makeDirectory('/data')
      syncDirectory(disk, '/')
      write(disk, '/data/a', 'A', true)
      syncDirectory(disk, '/data')
      write(disk, '/data/b', 'B', true)
    })
    expect(outcomes).toEqual(new Set(['/data/a=A', '/data/a=A /data/b=B']))
  })

  it('keep the names of a directory in the order of their changes', () => {
    const outcomes = textsAfterPowerLoss((disk) => {
      for (const name of ['a', 'b', 'c']) write(disk, `/${name}`, name, true)
      disk.remove('/a')
    })
    const expected = ['', '/a=a', '/a=a /b=b', '/a=a /b=b /c=c', '/b=b /c=c']
    expect(outcomes).toEqual(new Set(expected))
  })

  it('have one or the other file after a replacement by rename, never none', () => {
    const outcomes = textsAfterPowerLoss((disk) => {
      write(disk, '/state', 'old', true)
      syncDirectory(disk, '/')
      write(disk, '/state.next', 'new', true)
      disk.rename('/state.next', '/state')
    })
    const expected = ['/state=old', '/state=old /state.next=new', '/state=new']
    expect(outcomes).toEqual(new Set(expected))
  })

  it('move a file between directories wholly or not at all, whichever is synced', () => {
    for (const synced of ['/one', '/two', undefined]) {
      const outcomes = textsAfterPowerLoss((disk) => {
        disk.makeDirectory('/one')
        disk.makeDirectory('/two')
        syncDirectory(disk, '/')
        write(disk, '/one/a', 'A', true)
        syncDirectory(disk, '/one')
        disk.rename('/one/a', '/two/b')
        if (synced !== undefined) syncDirectory(disk, synced)
      })
      const moved = ['/two/b=A']
      expect(outcomes).toEqual(new Set(synced === undefined ? ['/one/a=A', ...moved] : moved))
    }
  })

  it('never have a file in two places, when the place it came from was not synced', () => {
    const outcomes = textsAfterPowerLoss((disk) => {
      disk.makeDirectory('/one')
      disk.makeDirectory('/two')
      syncDirectory(disk, '/')
      write(disk, '/one/a', 'A', true)
      disk.rename('/one/a', '/two/b')
      syncDirectory(disk, '/two')
    })
    expect(outcomes).toEqual(new Set(['/two/b=A']))
  })

  it('give back the space of what was removed, and count what a power failure left', () => {
    const disk = diskWith(1)
    disk.change({ capacityBytes: 4 })
    write(disk, '/a', 'AAAA', false)
    expect(() => write(disk, '/b', 'B', false)).toThrow('no space left on device')
    disk.remove('/a')
    write(disk, '/b', 'BBBB', false)
    disk.losePower()
    const used = [...disk.files().values()].reduce((sum, { length }) => sum + length, 0)
    if (disk.status('/b') !== undefined) disk.remove('/b')
    write(disk, '/c', 'CCCC', false)
    expect(used).toBeLessThanOrEqual(4)
  })
})
