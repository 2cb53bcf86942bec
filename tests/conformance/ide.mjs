// The page at GET /graphql in a real browser: what it shows, what it asks for, and what its security policy had to stop.
import { chromium } from 'playwright-core';

import { given, tell } from './lines.mjs';

const QUERY = '.graphiql-query-editor .CodeMirror';
const ANSWER = '.result-window .CodeMirror';
const PATIENCE = { timeout: 15_000 };

const browser = await chromium.launch({ executablePath: given.browser, args: ['--no-sandbox'] });
try {
  const page = await browser.newPage({ viewport: { width: given.width, height: 740 } });
  const complaints = [];
  const hosts = new Set();
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => request.url().startsWith('data:') || hosts.add(new URL(request.url()).host));
  page.on('websocket', (socket) => hosts.add(new URL(socket.url()).host));
  await page.exposeFunction('violated', (what) => complaints.push(what));
  await page.addInitScript(() =>
    document.addEventListener('securitypolicyviolation', (event) => window.violated(`${event.violatedDirective} ${event.blockedURI}`)),
  );

  const run = async (tab) => {
    await page.click(`.graphiql-tab-button:has-text("${tab}")`);
    await page.waitForFunction(([at, name]) => document.querySelector(at).CodeMirror.getValue().includes(name), [QUERY, tab]);
    await page.click('.graphiql-execute-button');
  };
  const answered = async (text) => {
    await page.waitForFunction(([at, wanted]) => document.querySelector(at).CodeMirror.getValue().includes(wanted), [ANSWER, text], PATIENCE);
    return JSON.parse(await page.evaluate((at) => document.querySelector(at).CodeMirror.getValue(), ANSWER)).data;
  };

  await page.goto(`${given.url}#token=${given.token}`);
  await page.waitForSelector('.caller [data-state=known]', PATIENCE);
  const address = page.url();
  const caller = await page.innerText('.caller p');

  await run('WhoAmI');
  const viewer = (await answered('"viewer"')).viewer;

  // The stop button belongs to a subscription that has been sent; the service needs a moment to listen.
  await run('FollowCustomers');
  const event = answered('"customerEvents"');
  let heard = false;
  event.then(() => (heard = true), () => (heard = true));
  while (!heard) {
    await page.request.post(given.url, {
      headers: { authorization: `Bearer ${given.token}` },
      data: { query: given.create, variables: { input: { externalId: `ide-${Math.random()}` } } },
    });
    await page.waitForTimeout(500);
  }
  const followed = (await event).customerEvents;
  await page.click('.graphiql-execute-button');

  await page.click('[aria-label="Open settings dialog"]');
  await page.waitForSelector('.graphiql-dialog', PATIENCE);
  await page.keyboard.press('Escape');
  await page.waitForSelector('.graphiql-dialog', { state: 'detached' });
  await page.click('[aria-label="Show Examples"]');
  await page.click('.examples button:has-text("Import 2")');
  await page.waitForFunction((at) => document.querySelector(at).CodeMirror.getValue().includes('StartImport'), QUERY);
  const visible = await page.isVisible(QUERY);

  const stored = await page.evaluate((token) => Object.values({ ...localStorage }).some((value) => value.includes(token)), given.token);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  await page.reload();
  await page.waitForSelector('.caller [data-state=known]', PATIENCE);
  tell({ address, caller, viewer, followed, visible, stored, wide, complaints, hosts: [...hosts] });
} finally {
  await browser.close();
}
