// Preloaded into the execution client: when the process that started it goes away, however that
// happened, its IPC channel closes and the client ends. It would otherwise run on and hold its ports.
process.on('disconnect', () => process.exit(0))
if (!process.connected) process.exit(0)
