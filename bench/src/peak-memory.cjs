// Loaded into the measured process by --require: writes the peak of its resident memory when it exits. The kernel's
// VmHWM is of this process alone; what `time -v` and getrusage tell would include children, and the shell before exec.
const { readFileSync, writeFileSync } = require('node:fs')

process.on('exit', () => {
  const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'latin1'))
  writeFileSync(process.env.BENCH_PEAK_FILE, peak[1])
})
