-- chatopt on the same tables. psql variables: schema, enforce (chatopt's check instead of the foreign key).
\set QUIET on
SET client_min_messages = warning;
SELECT format('%I.conversations', :'schema') AS conversations, format('%I.messages', :'schema') AS messages \gset
SELECT count(*) AS statements
  FROM chatopt.attach(conversations => :'conversations', messages => :'messages', enforce_conversation => :enforce) \gset
