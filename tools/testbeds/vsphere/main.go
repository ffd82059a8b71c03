// vcenter is a vCenter or an ESXi host on loopback: the simulator of govmomi, which Debian ships as a library, with an
// inventory in the documented units and with what the stock one lacks. README.md says what there is.
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"flag"
	"fmt"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"sort"
	"syscall"
	"time"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vapi/library"
	"github.com/vmware/govmomi/vapi/rest"
	_ "github.com/vmware/govmomi/vapi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

const (
	mhz           = 2600
	cores         = 16
	maintained    = 4 // the number of the host that is in maintenance from the start
	keptForItself = 5 // percent of its memory and of its MHz that a host does not give to machines
	poolMHz       = 104000
	poolMB        = 131072
)

var guests = []string{"debian10_64Guest", "rhel8_64Guest", "ubuntu64Guest", "windows9Server64Guest"}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// sorted is everything of a type by its name, so that each start gives the same facts.
func sorted(kind string) []mo.Entity {
	all := simulator.Map.All(kind)
	sort.Slice(all, func(i, j int) bool { return all[i].Entity().Name < all[j].Entity().Name })
	return all
}

// --- hosts ----------------------------------------------------------------------------------------------------------

func dressHosts() {
	for i, entity := range sorted("HostSystem") {
		host := entity.(*simulator.HostSystem)
		hardware := *host.Summary.Hardware
		hardware.NumCpuPkgs, hardware.NumCpuCores, hardware.NumCpuThreads, hardware.CpuMhz = 2, cores, 2*cores, mhz
		hardware.MemorySize = 128 << 30
		if i%3 == 2 {
			hardware.MemorySize = 256 << 30
		}
		host.Summary.Hardware = &hardware
		host.Summary.Config.VmotionEnabled = true
		host.Capability = &types.HostCapability{} // reading a missing one ends the connection
		host.Runtime.InMaintenanceMode = i == maintained
	}
}

// sums are what a cluster or a single host says of its hosts: totalMemory in bytes, effectiveMemory in MB, totalCpu of
// all cores. The stock simulator has other units, and never adds up again.
func sums(summary *types.ComputeResourceSummary, hosts []types.ManagedObjectReference) {
	*summary = types.ComputeResourceSummary{OverallStatus: types.ManagedEntityStatusGreen}
	for _, reference := range hosts {
		host := simulator.Map.Get(reference).(*simulator.HostSystem)
		hardware := host.Summary.Hardware
		all := int32(hardware.NumCpuCores) * hardware.CpuMhz
		summary.NumHosts++
		summary.NumCpuCores += hardware.NumCpuCores
		summary.NumCpuThreads += hardware.NumCpuThreads
		summary.TotalCpu += all
		summary.TotalMemory += hardware.MemorySize
		if host.Runtime.ConnectionState == types.HostSystemConnectionStateConnected && !host.Runtime.InMaintenanceMode {
			summary.NumEffectiveHosts++
			summary.EffectiveCpu += all * (100 - keptForItself) / 100
			summary.EffectiveMemory += (hardware.MemorySize >> 20) * (100 - keptForItself) / 100
		}
	}
}

// addUp lets every cluster and every single host say its sums anew, and `each` see it.
func addUp(each func(*mo.ComputeResource)) {
	for _, entity := range sorted("ClusterComputeResource") {
		cluster := entity.(*simulator.ClusterComputeResource)
		sums(&cluster.Summary.(*types.ClusterComputeResourceSummary).ComputeResourceSummary, cluster.Host)
		each(&cluster.ComputeResource)
	}
	for _, entity := range sorted("ComputeResource") {
		single := entity.(*mo.ComputeResource)
		sums(single.Summary.(*types.ComputeResourceSummary), single.Host)
		each(single)
	}
}

// setHost is POST /testbed/host?name=…&connection=connected|disconnected|notResponding&maintenance=true|false: what a
// host is from now on, told to whoever waits for updates, with the sums that follow from it.
func setHost(answer http.ResponseWriter, request *http.Request) {
	for _, entity := range sorted("HostSystem") {
		if entity.Entity().Name != request.FormValue("name") {
			continue
		}
		host := entity.(*simulator.HostSystem)
		state := types.HostSystemConnectionState(request.FormValue("connection"))
		simulator.Map.WithLock(host, func() {
			simulator.Map.Update(host, []types.PropertyChange{
				{Name: "runtime.connectionState", Val: state},
				{Name: "runtime.inMaintenanceMode", Val: request.FormValue("maintenance") == "true"},
			})
		})
		addUp(func(*mo.ComputeResource) {})
		return
	}
	http.NotFound(answer, request)
}

// --- guests ---------------------------------------------------------------------------------------------------------

// browser tells guest systems; the stock one tells none.
type browser struct{ simulator.EnvironmentBrowser }

func (*browser) QueryConfigOption(*types.QueryConfigOption) soap.HasFault {
	option := &types.VirtualMachineConfigOption{Version: "vmx-13"}
	for _, id := range guests {
		family := types.VirtualMachineGuestOsFamilyLinuxGuest
		if id[:3] == "win" {
			family = types.VirtualMachineGuestOsFamilyWindowsGuest
		}
		option.GuestOSDescriptor = append(option.GuestOSDescriptor, types.GuestOsDescriptor{
			Id: id, Family: string(family), FullName: "Testbed " + id, SupportedMaxCPUs: 128,
			SupportedMinMemMB: 256, SupportedMaxMemMB: 4194304, RecommendedMemMB: 2048, RecommendedColorDepth: 32,
			SupportedDiskControllerList: []string{"VirtualLsiLogicController"},
			RecommendedDiskController:   "VirtualLsiLogicController",
			SupportedEthernetCard:       []string{"VirtualVmxnet3"},
			RecommendedEthernetCard:     "VirtualVmxnet3", RecommendedDiskSizeMB: 16384,
		})
	}
	return &methods.QueryConfigOptionBody{Res: &types.QueryConfigOptionResponse{Returnval: option}}
}

func tellGuests(resource *mo.ComputeResource) {
	if stock, ok := simulator.Map.Get(*resource.EnvironmentBrowser).(*simulator.EnvironmentBrowser); ok {
		simulator.Map.Put(&browser{*stock})
	}
}

// --- machines, pools, datastores ------------------------------------------------------------------------------------

// dressPools limits each pool below the root of a cluster, and gives it every third machine of the root.
func dressPools() {
	for _, entity := range sorted("ResourcePool") {
		pool := entity.(*simulator.ResourcePool)
		root, isBelow := simulator.Map.Get(*pool.Parent).(*simulator.ResourcePool)
		if !isBelow {
			continue
		}
		pool.Config.CpuAllocation.Limit = types.NewInt64(poolMHz)
		pool.Config.MemoryAllocation.Limit = types.NewInt64(poolMB)
		var staying []types.ManagedObjectReference
		for i, reference := range root.Vm {
			if i%3 != 1 {
				staying = append(staying, reference)
				continue
			}
			simulator.Map.Get(reference).(*simulator.VirtualMachine).ResourcePool = &pool.Self
			pool.Vm = append(pool.Vm, reference)
		}
		root.Vm = staying
	}
}

// dressMachines varies size, guest and state. Every fifth is off, every tenth is a template.
func dressMachines() {
	for i, entity := range sorted("VirtualMachine") {
		machine := entity.(*simulator.VirtualMachine)
		summary := &machine.Summary.Config
		summary.NumCpu, summary.MemorySizeMB = 1<<(i%4), 2048<<(i%4)
		summary.GuestId, summary.Template = guests[i%len(guests)], i%10 == 9
		machine.Config.Hardware.NumCPU, machine.Config.Hardware.MemoryMB = summary.NumCpu, summary.MemorySizeMB
		machine.Config.GuestId, machine.Config.Template = summary.GuestId, summary.Template
		machine.Capability.SnapshotOperationsSupported = true
		machine.Summary.Storage = &types.VirtualMachineStorageSummary{Committed: int64(i+1) << 30}
		state := types.VirtualMachinePowerStatePoweredOn
		if i%5 == 4 {
			state = types.VirtualMachinePowerStatePoweredOff
		} else if i%10 == 3 {
			state = types.VirtualMachinePowerStateSuspended
		}
		machine.Runtime.PowerState, machine.Summary.Runtime.PowerState = state, state
		if summary.Template {
			machine.ResourcePool = nil
		}
	}
}

func dressDatastores() {
	for _, entity := range sorted("Datastore") {
		datastore := entity.(*simulator.Datastore)
		datastore.Summary.Capacity, datastore.Summary.FreeSpace = 4<<40, 3<<40
		datastore.Summary.MultipleHostAccess = types.NewBool(true)
		datastore.Summary.MaintenanceMode = "normal"
	}
}

// fillLibrary makes one library with so many items, packed machines and install media in turn.
func fillLibrary(ctx context.Context, server *url.URL, items int) {
	client, err := govmomi.NewClient(ctx, server, true)
	must(err)
	session := rest.NewClient(client.Client)
	must(session.Login(ctx, server.User))
	manager := library.NewManager(session)
	store := sorted("Datastore")[0].Reference().Value
	id, err := manager.CreateLibrary(ctx, library.Library{
		Name: "Testbed", Type: "LOCAL", Storage: []library.StorageBackings{{DatastoreID: store, Type: "DATASTORE"}},
	})
	must(err)
	for i := 0; i < items; i++ {
		kind := []string{library.ItemTypeOVF, library.ItemTypeISO, "file"}[i%3]
		_, err := manager.CreateLibraryItem(ctx, library.Item{
			Name: fmt.Sprintf("item-%03d", i), Description: "An item", Type: kind, LibraryID: id,
		})
		must(err)
	}
	must(session.Logout(ctx))
	must(client.Logout(ctx))
}

// --- the server -----------------------------------------------------------------------------------------------------

// certificate is one of the loopback address, left in a file for those who shall trust it. The stock one has a key that
// Python takes for too short.
func certificate(file string) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(0, 0, 30),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	made, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(err)
	must(os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: made}), 0o644))
	return tls.Certificate{Certificate: [][]byte{made}, PrivateKey: key}
}

func main() {
	model := simulator.VPX()
	flag.IntVar(&model.Datacenter, "dc", 1, "datacenters")
	flag.IntVar(&model.Cluster, "cluster", 2, "clusters of a datacenter")
	flag.IntVar(&model.ClusterHost, "host", 4, "hosts of a cluster")
	flag.IntVar(&model.Host, "standalone-host", 1, "hosts of a datacenter that are in no cluster")
	flag.IntVar(&model.Pool, "pool", 1, "resource pools below the root of a cluster")
	flag.IntVar(&model.Machine, "vm", 5, "machines of a cluster and of a single host")
	flag.IntVar(&model.Datastore, "ds", 2, "datastores of a datacenter")
	flag.IntVar(&model.DelayConfig.Delay, "delay", 0, "milliseconds that every call takes longer")
	items := flag.Int("items", 3, "items of the content library; 0 for no library")
	single := flag.Bool("esx", false, "an ESXi host in the place of a vCenter")
	listen := flag.String("listen", "127.0.0.1:22000", "address")
	user := flag.String("user", "reader", "who may sign in")
	password := flag.String("password", "secret", "by which password")
	file := flag.String("certificate", "", "where the certificate is left")
	flag.Parse()

	if *single {
		host := simulator.ESX()
		host.Machine, host.Datastore, host.DelayConfig = model.Machine, model.Datastore, model.DelayConfig
		model = host
	}
	must(model.Create())
	defer model.Remove() // its datastores are folders
	dressHosts()
	addUp(tellGuests)
	dressPools()
	dressMachines()
	dressDatastores()
	model.Service.Listen = &url.URL{Host: *listen, User: url.UserPassword(*user, *password)}
	model.Service.RegisterEndpoints = true
	model.Service.TLS = &tls.Config{Certificates: []tls.Certificate{certificate(*file)}}
	model.Service.HandleFunc("/testbed/host", setHost)
	server := model.Service.NewServer()
	if *items > 0 && !*single {
		fillLibrary(context.Background(), server.URL, *items)
	}
	fmt.Println("ready")

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	<-stop
}
