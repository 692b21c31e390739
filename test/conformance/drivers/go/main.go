// Command driver sends the requests that it reads from standard input with the official Go SDK, and prints one line per
// request. Arguments: the endpoint and the project id. ../../protocol.ts defines the lines of both streams.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"reflect"
	"strings"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/sdkerr"
	dws "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/dws/v2"
	ecs "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2"
	evs "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/evs/v2"
)

type message struct {
	Service     string
	Operation   string
	Request     json.RawMessage
	Credentials struct{ AK, SK, SecurityToken string }
	Describe    [][2]string
}

type reply struct {
	Unsupported bool   `json:"unsupported,omitempty"`
	Error       string `json:"error,omitempty"`
	Status      int    `json:"status,omitempty"`
	Code        string `json:"code,omitempty"`
	Body        string `json:"body"`
}

// recorder keeps the body of the last response, because the SDK only returns the converted response.
type recorder struct{ body []byte }

func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if r.body, err = io.ReadAll(response.Body); err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(r.body))
	return response, nil
}

var last recorder

// clientOf returns the client of a service.
func clientOf(service string, hc *core.HcHttpClient) reflect.Value {
	switch service {
	case "dws":
		return reflect.ValueOf(dws.NewDwsClient(hc))
	case "ecs":
		return reflect.ValueOf(ecs.NewEcsClient(hc))
	}
	return reflect.ValueOf(evs.NewEvsClient(hc))
}

func send(m message) (result reply) {
	credential, err := basic.NewCredentialsBuilder().WithAk(m.Credentials.AK).WithSk(m.Credentials.SK).
		WithSecurityToken(m.Credentials.SecurityToken).WithProjectId(os.Args[2]).SafeBuild()
	if err != nil {
		return reply{Error: err.Error()}
	}
	last.body = nil
	hc, err := core.NewHcHttpClientBuilder().WithEndpoints([]string{os.Args[1]}).WithCredential(credential).
		WithHttpConfig(config.DefaultHttpConfig().WithHttpRoundTripper(&last)).SafeBuild()
	if err != nil {
		return reply{Error: err.Error()}
	}
	method := clientOf(m.Service, hc).MethodByName(m.Operation)
	if !method.IsValid() {
		return reply{Unsupported: true}
	}
	defer func() {
		if problem := recover(); problem != nil {
			result = reply{Error: fmt.Sprint("panic: ", problem)}
		}
	}()
	request := reflect.New(method.Type().In(0).Elem())
	if err := json.Unmarshal(m.Request, request.Interface()); err != nil {
		return reply{Error: "request: " + err.Error()}
	}
	results := method.Call([]reflect.Value{request})
	if err, failed := results[1].Interface().(error); failed {
		var refusal *sdkerr.ServiceResponseError
		if errors.As(err, &refusal) {
			return reply{Status: refusal.StatusCode, Code: refusal.ErrorCode}
		}
		return reply{Error: err.Error()}
	}
	status := results[0].Elem().FieldByName("HttpStatusCode").Int()
	return reply{Status: int(status), Body: string(last.body)}
}

// typeOf returns a type in the notation of models.json, and adds the models that the type uses.
func typeOf(service string, t reflect.Type, models map[string]map[string]string) string {
	switch t.Kind() {
	case reflect.Pointer:
		return typeOf(service, t.Elem(), models)
	case reflect.Slice:
		return "[" + typeOf(service, t.Elem(), models) + "]"
	case reflect.Map:
		return "{" + typeOf(service, t.Elem(), models) + "}"
	case reflect.Int32, reflect.Int64:
		return "integer"
	case reflect.Float32, reflect.Float64:
		return "number"
	case reflect.Bool:
		return "boolean"
	case reflect.String:
		return "string"
	case reflect.Interface:
		return "any"
	}
	if path.Base(t.PkgPath()) != "model" {
		return map[string]string{"SdkTime": "string", "Decimal": "number"}[t.Name()]
	}
	// An enumeration is a structure whose only field is not exported.
	if t.NumField() == 1 && t.Field(0).Name == "value" {
		return typeOf(service, t.Field(0).Type, models)
	}
	name := service + "." + t.Name()
	if models[name] != nil {
		return name
	}
	models[name] = map[string]string{}
	for _, field := range reflect.VisibleFields(t) {
		wire, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if wire == "-" || strings.HasPrefix(wire, "X-") {
			continue
		}
		suffix := "!"
		if options == "omitempty" {
			suffix = ""
		}
		models[name][wire] = typeOf(service, field.Type, models) + suffix
	}
	return name
}

// describe returns the type of the response of each operation, and all models of these responses.
func describe(operations [][2]string) any {
	models, described := map[string]map[string]string{}, map[string]any{}
	for _, operation := range operations {
		service, name := operation[0], operation[1]
		if method := clientOf(service, nil).MethodByName(name); method.IsValid() {
			described[service+"."+name] = map[string]string{"response": typeOf(service, method.Type().Out(0), models)}
		}
	}
	return map[string]any{"operations": described, "models": models}
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var m message
		var result any
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			result = reply{Error: err.Error()}
		} else if m.Describe != nil {
			result = describe(m.Describe)
		} else {
			result = send(m)
		}
		text, _ := json.Marshal(result)
		fmt.Println(string(text))
	}
}
