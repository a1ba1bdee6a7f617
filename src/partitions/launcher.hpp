// The launcher: with chatopt in shared_preload_libraries, partitions are maintained without anybody calling.
#pragma once

namespace chatopt::partitions {

// Is this process the launcher's maintenance worker? It is a superuser's session, and may detach concurrently.
bool in_maintenance_worker();

// Settings, and the launcher itself while the server preloads libraries.
void init_launcher();

}  // namespace chatopt::partitions
