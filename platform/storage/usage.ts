import type { StorageUsage, StoredObject } from './object-store.ts'

export function usageOf(objects: readonly StoredObject[]): StorageUsage {
  return { objects: objects.length, bytes: objects.reduce((sum, { bytes }) => sum + bytes, 0) }
}
