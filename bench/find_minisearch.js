// node find_minisearch.js DOCS KIND SECONDS CHANGE_EACH LIMIT < QUERIES: asks in a closed loop, prints one line of JSON.
const fs = require('fs');
const MiniSearch = require('minisearch');

const [path, kind, seconds, changeEach, limit] = process.argv.slice(2);
const docs = JSON.parse(fs.readFileSync(path, 'utf8'));
const queries = JSON.parse(fs.readFileSync(0, 'utf8'));
const index = new MiniSearch({
  fields: ['name', 'tags', 'description'],
  storeFields: ['type', 'status'],
  searchOptions: { boost: { name: 8, tags: 2 }, combineWith: kind === 'all' ? 'AND' : 'OR' },
});
index.addAll(docs);

const filter = kind === 'filtered' ? (hit) => hit.type === 'tool' && hit.status === 'online' : undefined;
const took = [];
let hits = 0;
const end = performance.now() + seconds * 1000;
for (let n = 0; n === 0 || performance.now() < end; n += 1) {
  const began = performance.now();
  hits += index.search(queries[n % queries.length], { filter }).slice(0, Number(limit)).length;
  took.push(performance.now() - began);
  if (n % changeEach === 0) index.replace(docs[(n * 7919) % docs.length]);
}
took.sort((a, b) => a - b);
const sum = took.reduce((a, b) => a + b, 0);
console.log(JSON.stringify({
  per_second: (took.length / sum) * 1000,
  p50_ms: took[took.length >> 1],
  p99_ms: took[Math.floor(took.length * 0.99)],
  asked: took.length,
  hits: hits / took.length,
}));
