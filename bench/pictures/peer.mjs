// sharp beside Souk: writes the photograph, or makes both renditions of it again and again and says what that cost.
//   node peer.mjs photograph FILE
//   node peer.mjs run FILE SECONDS PARALLEL
import { readFileSync, writeFileSync } from 'node:fs'
import sharp from 'sharp'

const [what, file, seconds, parallel] = process.argv.slice(2)

if (what === 'photograph') {
  // Twelve million pixels with slopes, edges and a little noise, so that it compresses as a photograph does.
  const [width, height] = [4000, 3000]
  const raw = Buffer.alloc(width * height * 3)
  let state = 2463534242
  const clamp = (value) => (value < 0 ? 0 : value > 255 ? 255 : value)
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 3) {
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      const noise = (state & 15) - 8
      const tile = ((x >> 7) ^ (y >> 7)) & 1 ? 28 : 0
      raw[at] = clamp(120 + 96 * Math.sin(x / 333) + tile + noise)
      raw[at + 1] = clamp(124 + 92 * Math.cos(y / 277) + tile + noise)
      raw[at + 2] = clamp(48 + ((x + y) >> 5) + noise)
    }
  }
  writeFileSync(file, await sharp(raw, { raw: { width, height, channels: 3 } }).jpeg({ quality: 92 }).toBuffer())
} else {
  sharp.concurrency(1)
  sharp.cache(false)
  const source = readFileSync(file)
  const large = () =>
    sharp(source).rotate().resize(1200, 1200, { fit: 'inside', withoutEnlargement: true }).jpeg({ quality: 90 }).toBuffer()
  const small = () => sharp(source).rotate().resize(300, 300, { fit: 'cover' }).jpeg({ quality: 80 }).toBuffer()
  const both = () => Promise.all([large(), small()])
  await both()
  let made = 0
  const begin = performance.now()
  const spent = process.cpuUsage()
  const worker = async () => {
    while (performance.now() - begin < seconds * 1000) {
      await both()
      made++
    }
  }
  await Promise.all(Array.from({ length: Number(parallel) }, worker))
  const took = (performance.now() - begin) / 1000
  const { user, system } = process.cpuUsage(spent)
  const status = readFileSync('/proc/self/status', 'utf8')
  const peak = Number(/VmHWM:\s+(\d+)/.exec(status)[1]) / 1024
  console.log(
    JSON.stringify({ perSecond: +(made / took).toFixed(2), cpuMs: +((user + system) / 1000 / made).toFixed(1), peakMiB: Math.round(peak) })
  )
}
