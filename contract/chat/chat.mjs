// Talks to Souk's assistant by useChat in a real browser: sends, streams, asks again, goes on after a reload, and is told of an answer that
// broke off.
// usage: node chat.mjs SOUK_URL CHROMIUM TOKEN
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { chromium } from 'playwright-core'

const [base, executablePath, token] = process.argv.slice(2)
const timeout = 30_000
const here = dirname(fileURLToPath(import.meta.url))
const { outputFiles } = await build({
  entryPoints: [join(here, 'page.jsx')], bundle: true, write: false, format: 'esm', target: 'es2022', jsx: 'automatic', minify: true,
  define: { 'process.env.NODE_ENV': '"production"' },
})
const html = '<!doctype html><link rel=icon href=data:,><title>Talk</title><div id=root></div><script type=module src=/talk/page.js></script>'

const profile = mkdtempSync(join(tmpdir(), 'souk-chromium-'))
const browser = await chromium.launchPersistentContext(profile, {
  executablePath, headless: true,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
})
const faults = []
const is = (what, found, expected) => {
  if (JSON.stringify(found) !== JSON.stringify(expected)) faults.push(`${what}: ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`)
}
try {
  const page = await browser.newPage()
  page.on('pageerror', (error) => faults.push(`page: ${error}`))
  await page.route('**/talk/page.html', (route) => route.fulfill({ contentType: 'text/html', body: html }))
  await page.route('**/talk/page.js', (route) => route.fulfill({ contentType: 'text/javascript', body: outputFiles[0].text }))
  const id = `page-${Date.now()}`
  await page.goto(`${base}/talk/page.html#${encodeURIComponent(JSON.stringify({ token, id }))}`)

  const answers = page.locator('li.assistant')
  const status = (wanted) => page.locator(`main[data-status="${wanted}"]`).waitFor({ timeout })
  const said = (text) => answers.last().filter({ hasText: text }).waitFor({ timeout })
  const send = async (text) => {
    await page.locator('input').fill(text)
    await page.locator('form button').click()
  }
  const messages = async () => {
    const read = async (path) => (await fetch(`${base}/api/v1${path}`, { headers: { Authorization: `Bearer ${token}` } })).json()
    const { items } = await read('/conversations')
    return (await read(`/conversations/${items.find((one) => one.clientId === id).id}/messages`)).items
  }

  const whole = 'Good day to you, and to all of yours.'
  await send('Greet me.')
  await said(whole)
  await status('ready')
  const [question, answer] = await messages()
  is('the answer has the id it is stored by', await answers.last().getAttribute('data-id'), answer.id)
  is('the question is stored', question.parts[0].text, 'Greet me.')

  await page.locator('#again').click()
  await page.waitForFunction((id) => document.querySelector('li.assistant:last-of-type')?.dataset.id !== id, answer.id, { timeout })
  await said(whole)
  await status('ready')
  const again = (await messages()).at(-1)
  is('another answer is a branch', again.branches.length, 2)
  is('and takes the place of the first', await answers.count(), 1)

  const slow = 'One word after the other, as slowly as anybody could wish for.'
  await send('Tell me slowly.')
  await said('One word')
  await status('streaming')
  is('it is said word by word', (await answers.last().innerText()).length < slow.length, true)
  await page.reload()
  await status('streaming')
  await said(slow)
  await status('ready')
  is('it went on after the reload, and once', await page.locator('li').allInnerTexts(), ['Greet me.', whole, 'Tell me slowly.', slow])

  await send('Break off, please.')
  await page.locator('#error').filter({ hasText: 'provider_cut' }).waitFor({ timeout })
  await status('error')
  is('what it said is kept', (await messages()).at(-1).state, 'cut')
  await send('Greet me.')
  await said(whole)
  await status('ready')
  is('and the talk goes on', (await messages()).length, 8)
} catch (error) {
  faults.push(String(error))
} finally {
  await browser.close()
  rmSync(profile, { recursive: true, force: true })
}
if (faults.length > 0) {
  console.error(faults.join('\n'))
  process.exit(1)
}
console.log('useChat talked to the assistant')
