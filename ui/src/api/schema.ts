// Made by scripts/types.mjs from the server's OpenAPI description; change the server instead.
export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        AgentStartRequest: {
            agentConfig?: {
                [key: string]: unknown;
            };
            agentName?: string;
            /** @default {} */
            context?: {
                [key: string]: unknown;
            };
            framework?: string;
            idempotencyKey?: string;
            /** @default [] */
            media?: string[];
            model?: string;
            name?: string;
            prompt?: string;
            rawConfig?: {
                [key: string]: unknown;
            };
            runId?: string;
            sessionId?: string;
            skillRef?: {
                [key: string]: unknown;
            };
            static_plan?: {
                [key: string]: unknown;
            };
            /** Format: int32 */
            timeoutSeconds?: number;
            /** Format: int32 */
            version?: number;
        };
        /** @description What happened in one step that ended at `at`. Durations are milliseconds; -1: nothing ended. */
        Beat: {
            at: number;
            commitP95: number;
            completed: number;
            failed: number;
            p50: number;
            p95: number;
            started: number;
            tasks: number;
            tasksFailed: number;
        };
        /** @description What became of each member of a bulk request: the reason of each that failed, and those that succeeded. */
        BulkResponse: {
            bulkErrorResults: {
                [key: string]: string;
            };
            bulkSuccessfulResults: unknown[];
        };
        CacheConfig: {
            key?: string;
            /**
             * Format: int32
             * @default 0
             */
            ttlInSecond?: number;
        };
        /** @description An execution as it stands after its latest durable commit. */
        Change: {
            id: string;
            name: string;
            revision: number;
            status: string;
            updatedAt: number;
        };
        /**
         * @description One execution without its tasks. `sizes` are bytes of JSON; a payload named in `withheld` is too large to be shown unasked, and is empty here.
         *
         *     `failure_workflow` is the execution that its failure started, or the words that say why none was.
         */
        ConsoleExecution: {
            failureWorkflow: string;
            origin: components["schemas"]["Origin"];
            revision: number;
            sizes: {
                [key: string]: number;
            };
            wakeAt: number;
            withheld: string[];
            workflow: components["schemas"]["Workflow"];
        };
        /** @description One task, its payloads alike. */
        ConsoleTask: {
            sizes: {
                [key: string]: number;
            };
            task: components["schemas"]["Task"];
            withheld: string[];
        };
        CorrelationIdsSearchRequest: {
            /** @default [] */
            correlationIds?: string[];
            /** @default [] */
            workflowNames?: string[];
        };
        CreateTrackingWorkflowRequest: {
            input?: {
                [key: string]: unknown;
            };
            parentWorkflowId?: string;
            parentWorkflowTaskId?: string;
            workflowName: string;
        };
        CronSchedule: {
            cronExpression: string;
            /** @default UTC */
            zoneId?: string;
        };
        /** @description A message set aside because something failed for good. `attempts` counts how often it was tried, redeliveries included. */
        DeadMessage: {
            attempts: number;
            created: number;
            event: string;
            failures: components["schemas"]["Failure"][];
            id: string;
            messageId: string;
            payload: unknown;
        };
        /** @description A workflow name: executions by status, all there are and the recent ones. */
        DefinitionState: {
            name: string;
            recent: {
                [key: string]: number;
            };
            total: {
                [key: string]: number;
            };
        };
        ErrorResponse: {
            instance?: string;
            message: string;
            retryable: boolean;
            status: number;
            validationErrors?: {
                invalidValue?: string;
                message: string;
                path: string;
            }[];
        };
        EventAction: {
            /** @enum {string} */
            action: "start_workflow" | "complete_task" | "fail_task" | "terminate_workflow" | "update_workflow_variables" | "start_agent";
            complete_task?: components["schemas"]["TaskDetails"];
            /** @default false */
            expandInlineJSON?: boolean;
            fail_task?: components["schemas"]["TaskDetails"];
            start_agent?: {
                [key: string]: unknown;
            };
            start_workflow?: components["schemas"]["StartWorkflow"];
            terminate_workflow?: components["schemas"]["TerminateWorkflow"];
            update_workflow_variables?: components["schemas"]["UpdateWorkflowVariables"];
        };
        EventHandler: {
            actions: components["schemas"]["EventAction"][];
            /** @default false */
            active?: boolean;
            condition?: string;
            description?: string;
            evaluatorType?: string;
            event: string;
            name: string;
            tags?: components["schemas"]["Tag"][];
        };
        /** @description Who could not do what with a message, and why. `handler` is empty when it could not be handed to a broker. */
        Failure: {
            action: string;
            handler: string;
            reason: string;
        };
        /**
         * @description Executions that failed alike: the same workflow, the same task, and reasons that differ in numbers and ids at most; the reason is the newest one's.
         *
         *     `steps` counts them by when they ended, in equal steps of time, the earliest first.
         */
        FailureGroup: {
            count: number;
            firstAt: number;
            lastAt: number;
            reason: string;
            ref: string;
            status: string;
            steps: number[];
            workflow: string;
            workflowIds: string[];
        };
        /** @description Groups, the largest first, over steps of `step_ms` from `since`. `looked_at` executions were read, the newest first; `capped`: there are more. */
        Failures: {
            at: number;
            capped: boolean;
            groups: components["schemas"]["FailureGroup"][];
            lookedAt: number;
            since: number;
            stepMs: number;
        };
        /** @description Conductor's FileHandle, in its order. It is also what is stored of a file; `fileHandleId` holds its id behind a word. */
        FileHandle: {
            /** @default null */
            contentHash?: string | null;
            /** @default null */
            contentType?: string | null;
            createdAt: number;
            fileHandleId: string;
            /** @default null */
            fileName?: string | null;
            fileSize: number;
            storageType: string;
            /** @default null */
            taskId?: string | null;
            updatedAt: number;
            uploadStatus: string;
            workflowId: string;
        };
        FileUploadRequest: {
            contentType?: string;
            fileName?: string;
            taskId?: string;
            workflowId: string;
        };
        /** @description One thing that was looked at: `level` is ok, note, warn or fail; `advice` says what to do. */
        Finding: {
            /** @default  */
            advice?: string;
            check: string;
            found: string;
            level: string;
        };
        /** @description A task that is with a worker. */
        Hand: {
            queue: string;
            ref: string;
            startedAt: number;
            taskId: string;
            updateTime: number;
            worker: string;
            workflow: string;
            workflowId: string;
        };
        /** @description What runs, where it keeps its state, and what an operator should look into. */
        Health: {
            at: number;
            beganAt: number;
            config: {
                [key: string]: string;
            };
            findings: components["schemas"]["Finding"][];
            python: string;
            stored: {
                [key: string]: number;
            };
            version: string;
        };
        InjectTaskRequest: {
            inputData?: {
                [key: string]: unknown;
            };
            referenceTaskName: string;
            status?: string;
            subWorkflowParam?: {
                [key: string]: unknown;
            };
            taskDefName: string;
            type: string;
        };
        MultipartCompleteRequest: {
            /** @default [] */
            partETags?: string[];
        };
        /** @description One that has not ended. */
        OpenExecution: {
            /** @default null */
            correlationId?: string | null;
            createTime: number;
            name: string;
            status: string;
            updateTime: number;
            workflowId: string;
        };
        /** @description Who started it besides a parent, an event or a person: the tick of a schedule, or an execution whose failure it is to handle. Empty: nobody of these. */
        Origin: {
            /** @default  */
            failureOf?: string;
            /** @default  */
            schedule?: string;
            /** @default 0 */
            scheduledAt?: number;
        };
        /** @description The whole server at a glance. `beats` are steps of `step_s` seconds over the last hour at most, the latest last. */
        Overview: {
            at: number;
            beats: components["schemas"]["Beat"][];
            beganAt: number;
            counts: {
                [key: string]: number;
            };
            definitions: components["schemas"]["DefinitionState"][];
            oldest: components["schemas"]["OpenExecution"][];
            queues: components["schemas"]["QueueState"][];
            recentSince: number;
            stepS: number;
            workers: components["schemas"]["WorkerState"][];
        };
        /** @description When a worker asked a queue last. */
        Poll: {
            at: number;
            queue: string;
            worker: string;
        };
        /** @description Which worker polled a task type last, and when. The queue's name is without its domain. */
        PollData: {
            /** @default  */
            domain?: string;
            lastPollTime: number;
            queueName: string;
            /** @default  */
            workerId?: string;
        };
        /** @description A queue: what waits, since when the oldest could have been taken, who asked last. `is_ours`: a worker in the server's own process serves it. */
        QueueState: {
            domain: string;
            due: number;
            isOurs: boolean;
            lastPollAt: number;
            lastWorker: string;
            oldestDueAt: number;
            queue: string;
            taskType: string;
            waiting: number;
            workers: number;
        };
        RateLimitConfig: {
            /**
             * Format: int32
             * @default 0
             */
            concurrentExecLimit?: number;
            /**
             * @default QUEUE
             * @enum {string}
             */
            policy?: "QUEUE" | "REJECT";
            rateLimitKey?: string;
        };
        RerunWorkflowRequest: {
            correlationId?: string;
            reRunFromTaskId?: string;
            reRunFromWorkflowId?: string;
            taskInput?: {
                [key: string]: unknown;
            };
            workflowInput?: {
                [key: string]: unknown;
            };
        };
        SchemaDef: {
            createdBy?: string;
            /**
             * Format: int64
             * @default 0
             */
            createTime?: number;
            data?: {
                [key: string]: unknown;
            };
            externalRef?: string;
            name?: string;
            ownerApp?: string;
            /** @enum {string} */
            type?: "JSON" | "AVRO" | "PROTOBUF";
            updatedBy?: string;
            /**
             * Format: int64
             * @default 0
             */
            updateTime?: number;
            /**
             * Format: int32
             * @default 1
             */
            version?: number;
        };
        SkipTaskRequest: {
            /** @default {} */
            taskInput?: {
                [key: string]: unknown;
            };
            /** @default {} */
            taskOutput?: {
                [key: string]: unknown;
            };
        };
        StartWorkflow: {
            correlationId?: string;
            /** @default {} */
            input?: {
                [key: string]: unknown;
            };
            name?: string;
            taskToDomain?: {
                [key: string]: string;
            };
            /** Format: int32 */
            version?: number;
        };
        StartWorkflowRequest: {
            correlationId?: string;
            createdBy?: string;
            externalInputPayloadStoragePath?: string;
            idempotencyKey?: string;
            /** @enum {string} */
            idempotencyStrategy?: "FAIL" | "RETURN_EXISTING" | "FAIL_ON_RUNNING";
            /** @default {} */
            input?: {
                [key: string]: unknown;
            };
            name: string;
            /**
             * Format: int32
             * @default 0
             */
            priority?: number;
            /** @default {} */
            taskToDomain?: {
                [key: string]: string;
            };
            /** Format: int32 */
            version?: number;
            workflowDef?: components["schemas"]["WorkflowDef"];
        };
        StateChangeEvent: {
            payload?: {
                [key: string]: unknown;
            };
            type?: string;
        };
        SubWorkflowParams: {
            idempotencyKey?: string;
            /** @enum {string} */
            idempotencyStrategy?: "FAIL" | "RETURN_EXISTING" | "FAIL_ON_RUNNING";
            name?: string;
            priority?: unknown;
            taskToDomain?: {
                [key: string]: string;
            };
            /** Format: int32 */
            version?: number;
            workflowDefinition?: components["schemas"]["WorkflowDef"] | string;
        };
        Tag: {
            key: string;
            type?: string;
            value: string;
        };
        /** @description Conductor's Task. */
        Task: {
            /** @default false */
            cachedOutput?: boolean;
            callbackAfterSeconds: number;
            callbackFromWorker: boolean;
            /** @default null */
            correlationId?: string | null;
            /** @default  */
            domain?: string;
            endTime: number;
            executed: boolean;
            executionMetadata: unknown;
            /** @default  */
            executionNameSpace?: string;
            /** @default  */
            externalInputPayloadStoragePath?: string;
            /** @default  */
            externalOutputPayloadStoragePath?: string;
            firstStartTime: number;
            inputData: unknown;
            /** @default  */
            isolationGroupId?: string;
            iteration: number;
            loopOverTask: boolean;
            outputData: unknown;
            pollCount: number;
            queueWaitTime: number;
            rateLimitFrequencyInSeconds: number;
            rateLimitPerFrequency: number;
            /** @default null */
            reasonForIncompletion?: string | null;
            referenceTaskName: string;
            responseTimeoutSeconds: number;
            retried: boolean;
            /** @default  */
            retriedTaskId?: string;
            retryCount: number;
            /** @default {} */
            runtimeMetadata?: {
                [key: string]: string;
            };
            scheduledTime: number;
            seq: number;
            startDelayInSeconds: number;
            startTime: number;
            status: components["schemas"]["TaskStatus"];
            subworkflowChanged: boolean;
            /** @default  */
            subWorkflowId?: string;
            taskDefinition: unknown;
            taskDefName: string;
            taskId: string;
            taskType: string;
            updateTime: number;
            /** @default  */
            workerId?: string;
            workflowInstanceId: string;
            workflowPriority: number;
            workflowTask: components["schemas"]["WorkflowTask"];
            /** @default  */
            workflowType?: string;
        };
        TaskDef: {
            /**
             * Format: int32
             * @default 0
             */
            backoffJitterMs?: number;
            /**
             * Format: int32
             * @default 1
             */
            backoffScaleFactor?: number;
            baseType?: string;
            /** Format: int32 */
            concurrentExecLimit?: number;
            createdBy?: string;
            /**
             * Format: int64
             * @default 0
             */
            createTime?: number;
            description?: string;
            /** @default false */
            enforceSchema?: boolean;
            executionNameSpace?: string;
            /** @default [] */
            inputKeys?: string[];
            inputSchema?: components["schemas"]["SchemaDef"];
            /** @default {} */
            inputTemplate?: {
                [key: string]: unknown;
            };
            isolationGroupId?: string;
            /**
             * Format: int32
             * @default 0
             */
            maxRetryDelaySeconds?: number;
            name: string;
            /** @default [] */
            outputKeys?: string[];
            outputSchema?: components["schemas"]["SchemaDef"];
            ownerApp?: string;
            ownerEmail?: string;
            /** Format: int32 */
            pollTimeoutSeconds?: number;
            /**
             * Format: int32
             * @default 1
             */
            rateLimitFrequencyInSeconds?: number;
            /**
             * Format: int32
             * @default 0
             */
            rateLimitPerFrequency?: number;
            /**
             * Format: int64
             * @default 3600
             */
            responseTimeoutSeconds?: number;
            /**
             * Format: int32
             * @default 3
             */
            retryCount?: number;
            /**
             * Format: int32
             * @default 60
             */
            retryDelaySeconds?: number;
            /**
             * @default FIXED
             * @enum {string}
             */
            retryLogic?: "FIXED" | "EXPONENTIAL_BACKOFF" | "LINEAR_BACKOFF";
            /** @default [] */
            runtimeMetadata?: string[];
            /** @default true */
            taskStatusListenerEnabled?: boolean;
            /**
             * @default TIME_OUT_WF
             * @enum {string}
             */
            timeoutPolicy?: "RETRY" | "TIME_OUT_WF" | "ALERT_ONLY";
            /**
             * Format: int64
             * @default 0
             */
            timeoutSeconds?: number;
            /**
             * Format: int64
             * @default 0
             */
            totalTimeoutSeconds?: number;
            updatedBy?: string;
            /**
             * Format: int64
             * @default 0
             */
            updateTime?: number;
        };
        TaskDetails: {
            /** @default {} */
            output?: {
                [key: string]: unknown;
            };
            reasonForIncompletion?: string;
            taskId?: string;
            taskRefName?: string;
            workflowId?: string;
        };
        TaskExecLog: {
            /**
             * Format: int64
             * @default 0
             */
            createdTime?: number;
            log?: string;
            taskId?: string;
        };
        TaskResult: {
            /**
             * Format: int32
             * @default 0
             */
            callbackAfterSeconds?: number;
            /** @default false */
            extendLease?: boolean;
            externalOutputPayloadStoragePath?: string;
            /** @default [] */
            logs?: components["schemas"]["TaskExecLog"][];
            /** @default {} */
            outputData?: {
                [key: string]: unknown;
            };
            reasonForIncompletion?: string;
            /** @enum {string} */
            status: "IN_PROGRESS" | "FAILED" | "FAILED_WITH_TERMINAL_ERROR" | "COMPLETED" | "CANCELED";
            subWorkflowId?: string;
            taskId: string;
            workerId?: string;
            workflowInstanceId: string;
        };
        /**
         * @description State of one attempt at a node; `may_retry` says whether a failed attempt may be followed by another.
         * @enum {unknown}
         */
        TaskStatus: "CANCELED" | "COMPLETED" | "COMPLETED_WITH_ERRORS" | "FAILED" | "FAILED_WITH_TERMINAL_ERROR" | "IN_PROGRESS" | "SCHEDULED" | "SKIPPED" | "TIMED_OUT";
        /** @description Conductor's TaskSummary. */
        TaskSummary: {
            /** @default null */
            correlationId?: string | null;
            /** @default  */
            domain?: string;
            endTime: string;
            executionTime: number;
            /** @default  */
            externalInputPayloadStoragePath?: string;
            /** @default  */
            externalOutputPayloadStoragePath?: string;
            input: string;
            output: string;
            queueWaitTime: number;
            /** @default null */
            reasonForIncompletion?: string | null;
            scheduledTime: string;
            startTime: string;
            status: components["schemas"]["TaskStatus"];
            taskDefName: string;
            taskId: string;
            taskType: string;
            updateTime: string;
            workflowId: string;
            workflowPriority: number;
            workflowType: string;
        };
        TerminateWorkflow: {
            terminationReason?: string;
            workflowId?: string;
        };
        /** @description The tasks of an execution as of one revision. `whole`: all of them are here, and not only those that changed. */
        Timeline: {
            at: number;
            attempt: number[];
            base: number[];
            children: {
                [key: string]: string;
            };
            createTime: number;
            due: {
                [key: string]: number;
            };
            ended: number[];
            endTime: number;
            fork: number[];
            ids: {
                [key: string]: string;
            };
            iteration: number[];
            loop: number[];
            n: number[];
            name: number[];
            polls: number[];
            queue: number[];
            reasons: {
                [key: string]: string;
            };
            ref: number[];
            retried: number[];
            retryOf: {
                [key: string]: string;
            };
            revision: number;
            scheduled: number[];
            seq: number[];
            started: number[];
            status: components["schemas"]["WorkflowStatusName"];
            statusOf: number[];
            total: number;
            type: number[];
            until: {
                [key: string]: number;
            };
            updated: number[];
            updateTime: number;
            wakeAt: number;
            whole: boolean;
            words: string[];
            worker: number[];
            workflowId: string;
        };
        UpdateWorkflowVariables: {
            /** @default false */
            appendArray?: boolean;
            /** @default {} */
            variables?: {
                [key: string]: unknown;
            };
            workflowId?: string;
        };
        UpgradeWorkflowRequest: {
            name: string;
            /** @default {} */
            taskOutput?: {
                [key: string]: unknown;
            };
            /** Format: int32 */
            version?: number;
            /** @default {} */
            workflowInput?: {
                [key: string]: unknown;
            };
        };
        /**
         * @description Who does what. A worker counts as alive while it asked within `lately_ms`.
         *
         *     `in_progress` counts by queue; `hands` are these tasks themselves as far as they were read: those of so many executions at most.
         */
        Work: {
            at: number;
            hands: components["schemas"]["Hand"][];
            inProgress: {
                [key: string]: number;
            };
            latelyMs: number;
            polls: components["schemas"]["Poll"][];
            queues: components["schemas"]["QueueState"][];
        };
        /** @description A worker by the name it gives itself, and the queues it asked lately. */
        WorkerState: {
            lastPollAt: number;
            queues: string[];
            worker: string;
        };
        /** @description Conductor's Workflow, which is one execution. */
        Workflow: {
            /** @default null */
            correlationId?: string | null;
            /** @default  */
            createdBy?: string;
            createTime: number;
            endTime: number;
            /** @default null */
            event?: string | null;
            /** @default  */
            externalInputPayloadStoragePath?: string;
            /** @default  */
            externalOutputPayloadStoragePath?: string;
            failedReferenceTaskNames: string[];
            failedTaskNames: string[];
            history: unknown[];
            /** @default  */
            idempotencyKey?: string;
            input: Record<string, unknown>;
            lastRetriedTime: number;
            output: Record<string, unknown>;
            ownerApp: string;
            /** @default  */
            parentWorkflowId?: string;
            /** @default  */
            parentWorkflowTaskId?: string;
            priority: number;
            rateLimited: boolean;
            /** @default  */
            rateLimitKey?: string;
            /** @default null */
            reasonForIncompletion?: string | null;
            /** @default  */
            reRunFromWorkflowId?: string;
            startTime: number;
            status: components["schemas"]["WorkflowStatusName"];
            tasks: components["schemas"]["Task"][];
            taskToDomain: {
                [key: string]: string;
            };
            updateTime: number;
            variables: Record<string, unknown>;
            workflowDefinition: components["schemas"]["WorkflowDef"];
            workflowId: string;
            workflowName: string;
            workflowVersion: number;
        };
        WorkflowDef: {
            cacheConfig?: components["schemas"]["CacheConfig"];
            createdBy?: string;
            /**
             * Format: int64
             * @default 0
             */
            createTime?: number;
            description?: string;
            /** @default true */
            enforceSchema?: boolean;
            failureWorkflow?: string;
            /** Format: int32 */
            failureWorkflowVersion?: number;
            /** @default [] */
            inputParameters?: string[];
            inputSchema?: components["schemas"]["SchemaDef"];
            /** @default {} */
            inputTemplate?: {
                [key: string]: unknown;
            };
            /** @default [] */
            maskedFields?: string[];
            /** @default {} */
            metadata?: {
                [key: string]: unknown;
            };
            name: string;
            /** @default {} */
            outputParameters?: {
                [key: string]: unknown;
            };
            outputSchema?: components["schemas"]["SchemaDef"];
            ownerApp?: string;
            ownerEmail?: string;
            rateLimitConfig?: components["schemas"]["RateLimitConfig"];
            /** @default true */
            restartable?: boolean;
            /**
             * Format: int32
             * @default 2
             */
            schemaVersion?: number;
            tasks: components["schemas"]["WorkflowTask"][];
            /**
             * @default ALERT_ONLY
             * @enum {string}
             */
            timeoutPolicy?: "TIME_OUT_WF" | "ALERT_ONLY";
            /**
             * Format: int64
             * @default 0
             */
            timeoutSeconds?: number;
            updatedBy?: string;
            /**
             * Format: int64
             * @default 0
             */
            updateTime?: number;
            /** @default {} */
            variables?: {
                [key: string]: unknown;
            };
            /**
             * Format: int32
             * @default 1
             */
            version?: number;
            /** @default false */
            workflowStatusListenerEnabled?: boolean;
            workflowStatusListenerSink?: string;
        };
        /** @description A version of a workflow definition. Conductor's WorkflowDefSummary. */
        WorkflowDefSummary: {
            createTime: number;
            name: string;
            updateTime: number;
            version: number;
        };
        WorkflowSchedule: {
            createdBy?: string;
            /** Format: int64 */
            createTime?: number;
            cronExpression?: string;
            /** @default [] */
            cronSchedules?: components["schemas"]["CronSchedule"][];
            description?: string;
            name: string;
            /** @default false */
            paused?: boolean;
            pausedReason?: string;
            /** @default false */
            runCatchupScheduleInstances?: boolean;
            /** Format: int64 */
            scheduleEndTime?: number;
            /** Format: int64 */
            scheduleStartTime?: number;
            startWorkflowRequest: components["schemas"]["StartWorkflowRequest"];
            tags?: components["schemas"]["Tag"][];
            updatedBy?: string;
            /** Format: int64 */
            updatedTime?: number;
            /** @default UTC */
            zoneId?: string;
        };
        WorkflowStateUpdate: {
            taskReferenceName?: string;
            taskResult?: components["schemas"]["TaskResult"];
            /** @default {} */
            variables?: {
                [key: string]: unknown;
            };
        };
        /** @description Conductor's WorkflowStatus. */
        WorkflowStatus: {
            /** @default null */
            correlationId?: string | null;
            /** @default null */
            output?: Record<string, unknown> | null;
            status: components["schemas"]["WorkflowStatusName"];
            /** @default null */
            variables?: Record<string, unknown> | null;
            workflowId: string;
        };
        /**
         * @description State of one execution.
         * @enum {unknown}
         */
        WorkflowStatusName: "COMPLETED" | "FAILED" | "PAUSED" | "RUNNING" | "TERMINATED" | "TIMED_OUT";
        /** @description Conductor's WorkflowSummary. */
        WorkflowSummary: {
            classifier: string;
            /** @default null */
            correlationId?: string | null;
            /** @default  */
            createdBy?: string;
            /** @default  */
            endTime?: string;
            /** @default null */
            event?: string | null;
            executionTime: number;
            /** @default  */
            externalInputPayloadStoragePath?: string;
            /** @default  */
            externalOutputPayloadStoragePath?: string;
            failedReferenceTaskNames: string;
            failedTaskNames: string[];
            /** @default  */
            idempotencyKey?: string;
            input: string;
            inputSize: number;
            output: string;
            outputSize: number;
            parentWorkflowId: string;
            priority: number;
            /** @default null */
            reasonForIncompletion?: string | null;
            startTime: string;
            status: components["schemas"]["WorkflowStatusName"];
            taskToDomain: {
                [key: string]: string;
            };
            updateTime: string;
            version: number;
            workflowId: string;
            workflowType: string;
        };
        WorkflowTask: {
            /** @default false */
            asyncComplete?: boolean;
            cacheConfig?: components["schemas"]["CacheConfig"];
            caseExpression?: string;
            caseValueParam?: string;
            /** @default {} */
            decisionCases?: {
                [key: string]: components["schemas"]["WorkflowTask"][];
            };
            /** @default [] */
            defaultCase?: components["schemas"]["WorkflowTask"][];
            /** @default [] */
            defaultExclusiveJoinTask?: string[];
            description?: string;
            dynamicForkJoinTasksParam?: string;
            dynamicForkTasksInputParamName?: string;
            dynamicForkTasksParam?: string;
            dynamicTaskNameParam?: string;
            evaluatorType?: string;
            expression?: string;
            /** @default [] */
            forkTasks?: components["schemas"]["WorkflowTask"][][];
            /** @default {} */
            inputParameters?: {
                [key: string]: unknown;
            };
            items?: string;
            /** @enum {string} */
            joinMode?: "SYNC" | "ASYNC";
            /** @default [] */
            joinOn?: string[];
            joinStatus?: string;
            loopCondition?: string;
            /** @default [] */
            loopOver?: components["schemas"]["WorkflowTask"][];
            /** @default {} */
            metadata?: {
                [key: string]: unknown;
            };
            name: string;
            /** @default {} */
            onStateChange?: {
                [key: string]: components["schemas"]["StateChangeEvent"][];
            };
            /** @default false */
            optional?: boolean;
            /** @default false */
            permissive?: boolean;
            rateLimited?: boolean;
            /** Format: int32 */
            retryCount?: number;
            scriptExpression?: string;
            sink?: string;
            /**
             * Format: int32
             * @default 0
             */
            startDelay?: number;
            subWorkflowParam?: components["schemas"]["SubWorkflowParams"];
            taskDefinition?: components["schemas"]["TaskDef"];
            taskReferenceName: string;
            /** @default SIMPLE */
            type?: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
