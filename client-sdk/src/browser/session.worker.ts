import { type WorkerScope, workerHost } from '../worker/web-scope.ts'
import type { FromSession, ToSession } from './messages.ts'
import { serveSession } from './serve-session.ts'

const host: WorkerScope<ToSession> = workerHost()
const serve = serveSession((message: FromSession) => host.postMessage(message, []))
host.onmessage = ({ data }) => serve(data)
