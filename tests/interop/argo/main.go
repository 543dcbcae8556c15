// Command argo asks a gate as Argo Rollouts does, with its own code: the metric providers, the
// conditions, and the analysis controller, over a Kubernetes API that is held in memory.
//
//	argo -template template.yaml -arg address=http://127.0.0.1:8080 -arg service=shop ...
//
// Each metric of the template is an AnalysisRun of its own, or the first that ends would end the
// others. A line of JSON tells where each arrived. The controller's clock runs `-speed` times as
// fast as ours, so that its pauses of 10 and 15 seconds pass sooner; its HTTP timeouts do not.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/argoproj/argo-rollouts/analysis"
	"github.com/argoproj/argo-rollouts/controller/metrics"
	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"github.com/argoproj/argo-rollouts/pkg/client/clientset/versioned/fake"
	informers "github.com/argoproj/argo-rollouts/pkg/client/informers/externalversions"
	"github.com/argoproj/argo-rollouts/utils/record"
	timeutil "github.com/argoproj/argo-rollouts/utils/time"
	log "github.com/sirupsen/logrus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	kubeinformers "k8s.io/client-go/informers"
	kubefake "k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/yaml"
)

const namespace = "shop"

// told is what became of one metric.
type told struct {
	Metric       string        `json:"metric"`
	Phase        string        `json:"phase"`
	Message      string        `json:"message"`
	Measurements []measurement `json:"measurements"`
}

type measurement struct {
	Phase   string `json:"phase"`
	Value   string `json:"value"`
	Message string `json:"message"`
}

// arguments are `-arg name=value`, as often as one likes.
type arguments []v1alpha1.Argument

func (a *arguments) String() string { return "" }

func (a *arguments) Set(text string) error {
	name, value, found := strings.Cut(text, "=")
	if !found {
		return fmt.Errorf("write name=value, not %q", text)
	}
	*a = append(*a, v1alpha1.Argument{Name: name, Value: &value})
	return nil
}

// hurried is Argo's queue of work, whose delays pass `speed` times as fast.
type hurried struct {
	workqueue.RateLimitingInterface
	speed float64
}

func (h hurried) AddAfter(item any, after time.Duration) {
	h.RateLimitingInterface.AddAfter(item, time.Duration(float64(after)/h.speed))
}

func main() {
	var args arguments
	template := flag.String("template", "", "a file with an AnalysisTemplate")
	speed := flag.Float64("speed", 30, "how much faster than ours the controller's clock runs")
	within := flag.Duration("within", 2*time.Minute, "what runs longer is told as it is")
	flag.Var(&args, "arg", "name=value of an argument of the template; repeat it")
	flag.Parse()
	log.SetOutput(io.Discard)
	if err := run(*template, args, *speed, *within); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(template string, args arguments, speed float64, within time.Duration) error {
	raw, err := os.ReadFile(template)
	if err != nil {
		return err
	}
	var read v1alpha1.AnalysisTemplate
	if err := yaml.UnmarshalStrict(raw, &read); err != nil {
		return fmt.Errorf("%s: %w", template, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	client := watched(ctx, analysisRuns(read.Spec, args), speed)
	return json.NewEncoder(os.Stdout).Encode(ended(ctx, client))
}

// analysisRuns are one for each metric of the template.
func analysisRuns(spec v1alpha1.AnalysisTemplateSpec, args arguments) []runtime.Object {
	var runs []runtime.Object
	for _, metric := range spec.Metrics {
		runs = append(runs, &v1alpha1.AnalysisRun{
			ObjectMeta: metav1.ObjectMeta{Name: metric.Name, Namespace: namespace},
			Spec:       v1alpha1.AnalysisRunSpec{Metrics: []v1alpha1.Metric{metric}, Args: args},
		})
	}
	return runs
}

// watched starts Argo's controller on a cluster with these AnalysisRuns in it.
func watched(ctx context.Context, runs []runtime.Object, speed float64) *fake.Clientset {
	began := time.Now()
	timeutil.SetNowTimeFunc(func() time.Time {
		return began.Add(time.Duration(float64(time.Since(began)) * speed))
	})
	client, kube := fake.NewSimpleClientset(runs...), kubefake.NewSimpleClientset()
	argo := informers.NewSharedInformerFactory(client, 0)
	core := kubeinformers.NewSharedInformerFactory(kube, 0)
	limits := workqueue.DefaultTypedControllerRateLimiter[any]()
	controller := analysis.NewController(analysis.ControllerConfig{
		KubeClientSet:        kube,
		ArgoProjClientset:    client,
		AnalysisRunInformer:  argo.Argoproj().V1alpha1().AnalysisRuns(),
		JobInformer:          core.Batch().V1().Jobs(),
		AnalysisRunWorkQueue: hurried{workqueue.NewTypedRateLimitingQueue(limits), speed},
		MetricsServer: metrics.NewMetricsServer(metrics.ServerConfig{
			K8SRequestProvider: &metrics.K8sRequestsCountProvider{},
		}),
		Recorder: record.NewFakeEventRecorder(),
	})
	argo.Start(ctx.Done())
	core.Start(ctx.Done())
	argo.WaitForCacheSync(ctx.Done())
	go controller.Run(ctx, len(runs))
	return client
}

// ended waits until every AnalysisRun is at its end, or the time is up.
func ended(ctx context.Context, client *fake.Clientset) []told {
	for {
		runs, err := client.ArgoprojV1alpha1().AnalysisRuns(namespace).List(
			context.Background(), metav1.ListOptions{})
		if err != nil {
			panic(err) // a list in memory
		}
		var all []told
		running := false
		for _, run := range runs.Items {
			all = append(all, outcome(run))
			running = running || !run.Status.Phase.Completed()
		}
		if !running || ctx.Err() != nil {
			return all
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func outcome(run v1alpha1.AnalysisRun) told {
	one := told{Metric: run.Name, Phase: string(run.Status.Phase), Message: run.Status.Message}
	for _, result := range run.Status.MetricResults {
		for _, taken := range result.Measurements {
			one.Measurements = append(one.Measurements,
				measurement{string(taken.Phase), taken.Value, taken.Message})
		}
	}
	return one
}
