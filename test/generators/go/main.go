// Posts one event and a batch of two, lists them, and reads the first. Arguments: address, key, task.
package main

import (
	"context"
	"encoding/json"
	"log"
	"net/http"
	"os"
	"time"

	"example.com/ariftly/client"
)

func main() {
	url, key, task := os.Args[1], os.Args[2], os.Args[3]
	api, err := client.NewClientWithResponses(url, client.WithRequestEditorFn(
		func(_ context.Context, request *http.Request) error {
			request.Header.Set("Authorization", "Bearer "+key)
			return nil
		}))
	check(err)

	progress := 0.3
	var single client.NewEvent
	check(single.FromNewEventTaskProgress(client.NewEventTaskProgress{
		Type:   client.NewEventTaskProgressTypeTaskProgress,
		TaskId: task,
		Data: client.DataTaskProgress{
			Message:              "Analyzing document",
			Progress:             &progress,
			AdditionalProperties: map[string]interface{}{"own": 1},
		},
	}))
	artifacts := 2
	var last client.NewEvent
	check(last.FromNewEventTaskComplete(client.NewEventTaskComplete{
		Type:   client.NewEventTaskCompleteTypeTaskComplete,
		TaskId: task,
		Data:   client.DataTaskComplete{ArtifactCount: &artifacts},
	}))
	var message client.NewEvent
	content := client.DataSessionMessage_Content{}
	check(content.FromDataSessionMessageContent1([]interface{}{map[string]string{"text": "a"}}))
	check(message.FromNewEventSessionMessage(client.NewEventSessionMessage{
		Type:      client.NewEventSessionMessageTypeSessionMessage,
		TaskId:    &task,
		SessionId: "s",
		Data:      client.DataSessionMessage{Role: "tool", Content: content},
	}))

	var one, several client.NewEvents
	check(one.FromNewEvent(single))
	check(several.FromNewEvents1([]client.NewEvent{message, last}))
	statuses, id := []string{}, ""
	for _, body := range []client.NewEvents{one, several} {
		posted, err := api.PostEventsWithResponse(context.Background(), body)
		check(err)
		for _, item := range posted.JSON202.Data {
			result, err := item.AsAcceptedEntry()
			check(err)
			statuses = append(statuses, string(result.Status))
			if id == "" {
				id = result.Id
			}
		}
	}

	order, after := client.ListEventsParamsOrder("asc"), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var events []client.Event
	for len(events) < len(statuses) {
		page, err := api.ListEventsWithResponse(context.Background(),
			&client.ListEventsParams{TaskId: &task, Order: &order, After: &after})
		check(err)
		events = page.JSON200.Data
	}
	types := []string{}
	for _, event := range events {
		other, err := event.AsEventOther()
		check(err)
		types = append(types, other.Type)
	}
	later, err := events[len(events)-1].AsEventOther()
	check(err)
	answer, err := api.GetEventWithResponse(context.Background(), id, nil)
	check(err)
	event, err := answer.JSON200.AsEventTaskProgress()
	check(err)

	check(json.NewEncoder(os.Stdout).Encode(map[string]interface{}{
		"statuses": statuses,
		"types":    types,
		"message":  event.Data.Message,
		"progress": event.Data.Progress,
		"own":      event.Data.AdditionalProperties["own"],
		"later":    later.Data["artifact_count"],
	}))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
