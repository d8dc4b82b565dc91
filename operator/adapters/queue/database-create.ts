// Program that makes an empty PGlite database in the folder it is given, and ends. See `database.ts` for why it is one.
import { PGlite } from '@electric-sql/pglite'

const [folder] = process.argv.slice(2)
if (folder === undefined) throw new Error('expected the folder to make the database in')
const db = await PGlite.create({ dataDir: folder })
await db.close()
