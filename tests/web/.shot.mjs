import { launch, open, serve } from './harness.mjs';
const folder = process.argv[2]; const only = process.argv[3];
const b = await launch(); const s = await serve({folder});
const go = async (name, {w=1440,h=900,scheme='light'}, act) => {
  if (only && !name.match(only)) return;
  try {
  const v = await open(b.context, s.url, {viewport:{width:w,height:h}, colorScheme:scheme});
  await v.page.evaluate(()=>localStorage.clear()); await v.page.reload();
  await v.page.locator('button[data-pod]').first().waitFor({timeout:15000});
  await act(v.page); await v.page.screenshot({path:`/tmp/shots/${name}.png`}); 
  if (v.problems.length) console.log(name, v.problems);
  await v.page.close(); } catch(e) { console.log(name, 'ERR', e.message.slice(0,300)); }
};
const type = async (page, text) => { const c = page.locator('.cm-content'); await c.waitFor(); await c.click(); await page.keyboard.press('ControlOrMeta+a'); await page.keyboard.insertText(text); await page.keyboard.press('ControlOrMeta+Enter'); };
const wait = (ms) => (p) => p.waitForTimeout(ms);
await go('wide-light', {}, async p => { await p.locator('[data-sign=s-done],[data-sign=s-runs]').first().waitFor(); await p.waitForTimeout(9000); });
await go('wide-dark', {scheme:'dark'}, wait(5000));
await go('1024-light', {w:1024,h:768}, wait(4000));
await go('768-dark', {w:768,h:1024,scheme:'dark'}, wait(4000));
await go('360-light', {w:360,h:740}, wait(4000));
await go('360-full', {w:360,h:2400}, wait(4000));
const pick = (label) => async (p) => { await p.locator('header').getByLabel('Example').selectOption({label}); };
await go('crash', {}, async p => { await pick('One shot that crashes')(p); await p.waitForTimeout(6000); });
await go('never', {}, async p => { await pick('One shot, restartPolicy Never')(p); await p.waitForTimeout(6000); });
const CRON=`apiVersion: batch/v1
kind: CronJob
metadata: {name: minute}
spec:
  schedule: "* * * * *"
  timeZone: Europe/Berlin
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers: [{name: c, image: busybox, command: [sh, -c, "date; sleep 20"]}]
`;
await go('cron', {}, async p => { await type(p, CRON); await p.waitForTimeout(8000); });
const FAIL=`apiVersion: batch/v1
kind: Job
metadata: {name: failing}
spec:
  backoffLimit: 2
  template:
    spec:
      restartPolicy: Never
      containers: [{name: c, image: busybox, command: [sh, -c, "echo no; exit 3"], resources: {requests: {cpu: 500m, memory: 300Mi}}}]
---
apiVersion: batch/v1
kind: Job
metadata: {name: too-big}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: c, image: busybox, command: [sleep, "100"], resources: {requests: {cpu: "64"}}}]
`;
await go('fail', {}, async p => { await type(p, FAIL); await p.waitForTimeout(5000); });
await go('fail-later', {scheme:'dark'}, async p => { await type(p, FAIL); await p.waitForTimeout(12000); });
await go('terminal', {}, async p => { await p.waitForTimeout(2500); await p.keyboard.press('c'); await p.waitForTimeout(300); await p.keyboard.type('kubectl get pods -o wide'); await p.keyboard.press('Enter'); await p.waitForTimeout(400); await p.keyboard.type('kubectl get pods -w'); await p.keyboard.press('Enter'); await p.waitForTimeout(3000);});
await go('terminal-360', {w:360,h:740}, async p => { await p.waitForTimeout(2500); await p.getByRole('tab',{name:'Terminal'}).click(); await p.locator('#line').click(); await p.keyboard.type('kubectl get pods'); await p.keyboard.press('Enter'); await p.waitForTimeout(400);});
await go('help', {h:1000}, async p => { await p.keyboard.press('?'); await p.getByText('What is simulated').click(); await p.waitForTimeout(300);});
await b.close(); await s.close();
