-- The server of tarantool.yaml: tarantool.lua DIRECTORY WAL_MODE [SOCKET]. Without a socket it creates the database and ends.
box.cfg{work_dir = arg[1], wal_mode = arg[2], memtx_memory = 64 * 1024 * 1024, log_level = 2}
if arg[3] == nil then
    box.schema.space.create('kv')
    box.space.kv:create_index('pk', {parts = {1, 'string'}})
    box.schema.user.grant('guest', 'super')
    os.exit(0)
end
box.cfg{listen = 'unix/:' .. arg[3]}
