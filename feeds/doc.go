// Package feeds holds what is known of vendors: packs of indicators, the policies
// that forbid a vendor, and the shared facts about resolvers, content networks and
// blocked answers. Load reads them, Lint judges them, Compile turns them into a Set.
//
// A Set never changes. To put new knowledge into use, compile another one and swap
// the pointer (sync/atomic.Pointer). Its look-ups allocate nothing and may run in any
// number of goroutines.
package feeds
