// Makes the calls read from standard input through node-postgres, and writes their results.
// A line is: types of the keys, SQL, arguments; see drivers.t.
'use strict';
const { Client } = require('pg');

const NULL = '\\N';

// A key as the text it is, or as the number it is: a BigInt where a member's, a Number where a conversation's.
function key(kind, text, form) {
  if (form !== 'bigint') {
    return text;
  }
  return kind === 'M' ? BigInt(text) : Number(text);
}

function scalar(kind, text, forms) {
  if (text === NULL) {
    return null;
  }
  switch (kind) {
    case 'C': case 'M': case 'K': return key(kind, text, forms[kind]);
    case 'I': case 'P': return Number(text);
    case 'B': return text === 'true';
    default: return text;
  }
}

// An argument as JavaScript has it: a capital is the kind of a value, a small letter that of an array's elements.
function value(argument, forms) {
  const kind = argument[0];
  const text = argument.slice(1);
  if (kind === kind.toUpperCase()) {
    return scalar(kind, text, forms);
  }
  return text === '\x1d' ? [] : text.split('\x1f').map((element) => scalar(kind.toUpperCase(), element, forms));
}

async function answer(client, line) {
  const [types, sql, ...args] = line.split('\t');
  const [C, M, K] = types.split(' ');
  try {
    const result = await client.query({ text: sql, values: args.map((a) => value(a, { C, M, K })), rowMode: 'array' });
    return result.rows.map((row) => row.map((field) => (field === null ? 'null' : String(field))).join('|')).join(';');
  } catch (error) {
    return `error ${error.code}\t${error.message}`;
  }
}

async function main() {
  const client = new Client();
  await client.connect();
  const input = require('fs').readFileSync(0, 'utf8');
  for (const line of input.split('\n').slice(0, -1)) {
    process.stdout.write(`${await answer(client, line)}\n`);
  }
  await client.end();
}

main();
