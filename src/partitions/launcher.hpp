// The launcher: with chatopt in shared_preload_libraries, partitions are maintained without anybody calling.
//
// One process, "chatopt launcher", starts a worker, "chatopt maintenance", in each database of chatopt.databases, one after
// the other, every chatopt.maintenance_interval, and waits for it. It is connected to no database and goes on whatever
// happens: a database in which maintenance is not possible is said once in the log, and tried again after longer and longer.
#pragma once

namespace chatopt::partitions {

// Is this process the launcher's worker? It is a superuser's session, and may detach concurrently.
bool in_maintenance_worker();

// Settings, and the launcher itself while the server preloads libraries.
void init_launcher();

}  // namespace chatopt::partitions
