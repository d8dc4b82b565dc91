type FileError = Error & { readonly code: string; readonly path?: string }

const MEANINGS: Readonly<Record<string, (path: string) => string>> = {
  ENOENT: (path) => `expected a file or folder at ${path}, there is none`,
  EEXIST: (path) => `expected nothing at ${path} yet, something is there`,
  ENOTDIR: (path) => `expected a folder on the way to ${path}, there is a file`,
  EISDIR: (path) => `expected a file at ${path}, there is a folder`,
  EACCES: (path) => `no permission for ${path}: check who owns it`,
  EPERM: (path) => `no permission for ${path}: check who owns it`,
  EROFS: (path) => `${path} cannot be written: its file system is read-only`,
  ENOSPC: () => 'the disk is full',
}

/** A sentence for a file system's error (Node.js `SystemError`), undefined for any other. */
export function fileErrorSentence(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !('code' in thrown)) return undefined
  const { code, path } = thrown as FileError
  return MEANINGS[code]?.(path === undefined ? 'a path that was given' : path === '' ? 'an empty path' : path)
}
