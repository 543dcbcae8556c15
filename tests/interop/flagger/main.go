// Command flagger calls a gate's webhooks as Flagger does, with its own client.
//
//	flagger -address http://127.0.0.1:8080 -canary v2 -baseline v1 -token TOKEN
//
// A line of JSON tells of each type of hook whether Flagger takes the answer for a yes, and else
// what it would print.
package main

import (
	"encoding/json"
	"flag"
	"os"

	flaggerv1 "github.com/fluxcd/flagger/pkg/apis/flagger/v1beta1"
	"github.com/fluxcd/flagger/pkg/controller"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var hooks = []flaggerv1.HookType{
	flaggerv1.ConfirmRolloutHook, flaggerv1.PreRolloutHook, flaggerv1.RolloutHook,
	flaggerv1.ConfirmTrafficIncreaseHook, flaggerv1.ConfirmPromotionHook, flaggerv1.RollbackHook,
}

type told struct {
	Hook  string `json:"hook"`
	Yes   bool   `json:"yes"`
	Error string `json:"error"`
}

func main() {
	address := flag.String("address", "", "of the gate")
	service := flag.String("service", "shop", "the Canary's name")
	version := flag.String("canary", "", "the version judged")
	baseline := flag.String("baseline", "", "the version it is compared with")
	token := flag.String("token", "", "in the hooks' metadata")
	timeout := flag.String("timeout", "10s", "of each hook")
	flag.Parse()
	release := flaggerv1.Canary{ObjectMeta: metav1.ObjectMeta{Name: *service, Namespace: "shop"}}
	all := []told{}
	for _, hook := range hooks {
		metadata := map[string]string{"canary": *version, "baseline": *baseline, "token": *token}
		err := controller.CallWebhook(release, flaggerv1.CanaryPhaseProgressing,
			flaggerv1.CanaryWebhook{
				Type: hook, Name: "release-gate", URL: *address + "/v1/flagger/" + string(hook),
				Timeout: *timeout, Metadata: &metadata,
			})
		one := told{Hook: string(hook), Yes: err == nil}
		if err != nil {
			one.Error = err.Error()
		}
		all = append(all, one)
	}
	if err := json.NewEncoder(os.Stdout).Encode(all); err != nil {
		panic(err)
	}
}
