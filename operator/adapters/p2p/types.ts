import type { Libp2p } from 'libp2p'

// libp2p's interface package is not a dependency of its own.
export type Connection = ReturnType<Libp2p['getConnections']>[number]
export type Stream = Awaited<ReturnType<Connection['newStream']>>
