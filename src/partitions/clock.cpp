#include "partitions/clock.hpp"
namespace chatopt::partitions { 
static char* clock_value;
TimestampTz maintenance_now() { 
 if (clock_value && *clock_value) return DatumGetTimestampTz(DirectFunctionCall3(timestamptz_in, CStringGetDatum(clock_value), ObjectIdGetDatum(0), Int32GetDatum(-1)));
 return GetCurrentTransactionStartTimestamp(); }
void define_clock_setting() { DefineCustomStringVariable("chatopt.clock","x","y",&clock_value,"",PGC_SUSET,0,nullptr,nullptr,nullptr); }
}
