import { chromium } from 'playwright-core'
import { createServer } from 'node:http'
const base='http://127.0.0.1:18080', key=process.env.KEY
const h={authorization:`Bearer ${key}`,'content-type':'application/json'}
const post=(p,b)=>fetch(base+p,{method:'POST',headers:h,body:JSON.stringify(b)}).then(r=>r.json())
let n=0
const srv=createServer((q,r)=>{q.resume();q.on('end',()=>{n++; r.statusCode=n%5===0?500:200; r.end('ok')})}).listen(18099)
const list=await fetch(base+'/v1/webhooks',{headers:h}).then(r=>r.json())
let wid=list.data[0]?.id
if(!wid){ const w=await post('/v1/webhooks',{url:'http://127.0.0.1:18099/hook',events:['*'],description:'Billing receiver'}); wid=w.id
 await post('/v1/webhooks',{url:'http://127.0.0.1:9/hook',events:['task.*']}); await new Promise(r=>setTimeout(r,1500)) }
const task='task_demo_'+Date.now()
for (const [type,data] of [['task.created',{title:'Read the contract'}],['task.progress',{message:'Reading \u202e evil \u001b[31m',progress:0.3,big:1}],['artifact.emitted',{artifact_id:'a1',name:'summary.md',mime_type:'text/markdown',uri:'https://example.com/a'}],['tool_call.executed',{tool:'search',duration_ms:120,ok:true}],['task.complete',{}]]) { const r=await post('/v1/events',{type,task_id:task,agent:'analyzer',data}); if(r.status>=400||r.code) console.log(JSON.stringify(r)); await new Promise(r=>setTimeout(r,200)) }
await fetch(base+'/v1/events',{method:'POST',headers:h,body:`{"type":"task.progress","task_id":"${task}","data":{"message":"n","progress":1.0,"big":9223372036854775808}}`}).then(r=>r.text()).then(t=>console.log(t.slice(0,200)))
const browser=await chromium.launch({executablePath:'/usr/bin/chromium',args:['--no-sandbox']})
const errors=[]
async function shots(name,ctx){
 const page=await browser.newPage(ctx)
 page.on('console',m=>{ if(['error','warning'].includes(m.type())) errors.push(name+': '+m.text())})
 page.on('pageerror',e=>errors.push(name+': '+e.message))
 await page.goto(base+'/console'); await page.waitForSelector('.sign-in')
 await page.screenshot({path:`/tmp/shots/${name}-signin.png`})
 await page.fill('input[name=key]',key); await page.keyboard.press('Enter')
 await page.waitForSelector('.status-live',{timeout:20000}).catch(e=>errors.push(name+' not live'))
 let stop=false
 const pump=(async()=>{for(let i=0;!stop;i++){await post('/v1/events',Array.from({length:5},(_,k)=>({type:i%3?'task.progress':'session.message',...(i%3?{task_id:'task_p'+k}:{session_id:'session_1'}),data:i%3?{message:'step '+i,progress:0.5}:{role:'user',content:'hi '+i}})));await new Promise(r=>setTimeout(r,150))}})()
 await page.waitForTimeout(4000); await page.screenshot({path:`/tmp/shots/${name}-live.png`}); stop=true; await pump
 for (const [n2,hash,sel] of [['events','/events','table'],['task','/tasks/'+task,'table'],['webhooks','/webhooks','table'],['webhook','/webhooks/'+wid,'.bars'],['new','/webhooks/new','form'],['deliveries','/deliveries?webhook_id='+wid,'.delivery'],['signature','/signature','form'],['keys','/keys','table'],['audit','/audit','table'],['tenants','/tenants','.empty'],['dead','/dead-letters','.empty']]) {
  await page.goto(base+'/console#'+hash); await page.waitForSelector(sel,{timeout:10000}).catch(e=>errors.push(name+' '+n2+' missing '+sel)); await page.waitForTimeout(500)
  await page.screenshot({path:`/tmp/shots/${name}-${n2}.png`,fullPage:true})
 }
 const ev=await fetch(base+'/v1/events?task_id='+task,{headers:h}).then(r=>r.json())
 await page.goto(base+'/console#/events/'+ev.data[0].id); await page.waitForSelector('.json-branch'); await page.screenshot({path:`/tmp/shots/${name}-event.png`,fullPage:true})
 await page.keyboard.press('?'); await page.waitForTimeout(200); await page.screenshot({path:`/tmp/shots/${name}-keys-help.png`})
 await page.close()
}
await shots('light',{viewport:{width:1280,height:800},colorScheme:'light'})
if(process.argv[2]!=='one'){await shots('dark',{viewport:{width:1280,height:800},colorScheme:'dark'})
await shots('narrow',{viewport:{width:360,height:740},colorScheme:'light'})}
console.log(errors.join('\n')); await browser.close(); srv.close(); process.exit()
