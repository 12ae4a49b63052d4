package stories;

import com.netflix.conductor.client.worker.Worker;
import com.netflix.conductor.common.metadata.tasks.Task;
import com.netflix.conductor.common.metadata.tasks.TaskResult;
import com.netflix.conductor.sdk.workflow.executor.task.NonRetryableException;
import com.netflix.conductor.sdk.workflow.executor.task.TaskContext;
import com.netflix.conductor.sdk.workflow.task.InputParam;
import com.netflix.conductor.sdk.workflow.task.OutputParam;
import com.netflix.conductor.sdk.workflow.task.WorkerTask;
import java.util.Map;

/** The workers of the stories, in the two forms that the client knows: annotated methods, and classes of their own. */
public class Workers {

    @WorkerTask(value = "jv_greet", pollingInterval = 20)
    public @OutputParam("said") String greet(@InputParam("name") String name) {
        TaskContext.get().addLog("greeted");
        return "Hello, " + name + "!";
    }

    @WorkerTask(value = "jv_flaky", pollingInterval = 20)
    public @OutputParam("attempt") int flaky(@InputParam("failures") Integer failures, @InputParam("forGood") Boolean forGood) {
        int attempt = TaskContext.get().getRetryCount();
        if (Boolean.TRUE.equals(forGood)) {
            throw new NonRetryableException("no use in trying again");
        }
        if (attempt < failures) {
            throw new IllegalStateException("attempt " + attempt + " failed");
        }
        return attempt;
    }

    /** Three polls long: hands its task back twice and asks to be called again. */
    static class Patient implements Worker {
        @Override
        public String getTaskDefName() {
            return "jv_patient";
        }

        @Override
        public int getPollingInterval() {
            return 20;
        }

        @Override
        public TaskResult execute(Task task) {
            TaskResult result = new TaskResult(task);
            if (task.getPollCount() < 3) {
                result.setStatus(TaskResult.Status.IN_PROGRESS);
                result.setCallbackAfterSeconds(task.getPollCount() == 2 ? 1 : 0);
            } else {
                result.setStatus(TaskResult.Status.COMPLETED);
                result.setOutputData(Map.of("polls", task.getPollCount()));
            }
            return result;
        }
    }
}
