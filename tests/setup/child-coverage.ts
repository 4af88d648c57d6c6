import { expect } from 'vitest'

// Coverage counts processes that tests start (autoAttachSubprocess), for the sake of the one program of our own that
// drivers run from its sources: SQLite's. Of all others, the command from its build among them, it would only cost time;
// and what runs both here and there is counted wrong.
if (!expect.getState().testPath?.includes('/packages/driver-sqlite/')) delete process.env.NODE_V8_COVERAGE
