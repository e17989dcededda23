//! Keeps the engine to what expressions mean on the other engines.
//!
//! Its rules for rewriting queries serve conditions, where null and no are the same: `x IN (1) AND x IN (2)` becomes
//! false, also where `x` is null. Under a `NOT` that would make people know who do not. So only rules that replace
//! nothing by anything else are kept: they evaluate equal parts of expressions once, and read no column in vain. Sums,
//! differences and products of whole numbers that leave 64 bits are errors, as in `PostgreSQL`; left to itself the
//! engine would go on with what is left of them.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult as _, TreeNode as _};
use datafusion::config::ConfigOptions;
use datafusion::error::Result;
use datafusion::execution::SessionStateBuilder;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::optimizer::common_subexpr_eliminate::CommonSubexprEliminate;
use datafusion::optimizer::optimize_projections::OptimizeProjections;
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::BinaryExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};

/// Replaces the engine's rules.
pub(super) fn with_rules(state: SessionStateBuilder) -> SessionStateBuilder {
    let mut rules: Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> = vec![Arc::new(Checked)];
    rules.extend(PhysicalOptimizer::new().rules);
    state
        .with_optimizer_rules(vec![
            Arc::new(Coalesce),
            Arc::new(CommonSubexprEliminate::new()),
            Arc::new(OptimizeProjections::new()),
        ])
        .with_physical_optimizer_rules(rules)
}

/// The engine knows `coalesce` only as the `CASE` that it stands for.
#[derive(Debug)]
struct Coalesce;

impl OptimizerRule for Coalesce {
    fn name(&self) -> &'static str {
        "coalesce as case"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(&self, plan: LogicalPlan, _: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        plan.map_expressions(|expr| {
            expr.transform_up(|expr| match expr {
                Expr::ScalarFunction(call) if call.func.name() == "coalesce" => {
                    let case = call.func.simplify(call.args.clone(), &SimplifyContext::default())?;
                    Ok(match case {
                        ExprSimplifyResult::Simplified(case) => Transformed::yes(case),
                        ExprSimplifyResult::Original(_) => Transformed::no(Expr::ScalarFunction(call)),
                    })
                }
                expr => Ok(Transformed::no(expr)),
            })
        })
    }
}

/// Arithmetic with checks. Before any other rule, so that all expressions stand in projections still.
#[derive(Debug)]
struct Checked;

impl PhysicalOptimizerRule for Checked {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|plan| {
            let Some(projection) = plan.downcast_ref::<ProjectionExec>() else {
                return Ok(Transformed::no(plan));
            };
            let checked = projection.expr().iter().map(|one| {
                let expr = checked(Arc::clone(&one.expr))?;
                Ok(ProjectionExpr { expr, alias: one.alias.clone() })
            });
            let checked: Vec<ProjectionExpr> = checked.collect::<Result<_>>()?;
            let again = ProjectionExec::try_new(checked, Arc::clone(projection.input()))?;
            Ok(Transformed::yes(Arc::new(again) as Arc<dyn ExecutionPlan>))
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "checked arithmetic"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn checked(expr: Arc<dyn PhysicalExpr>) -> Result<Arc<dyn PhysicalExpr>> {
    expr.transform_up(|expr| {
        let Some(binary) = expr.downcast_ref::<BinaryExpr>() else { return Ok(Transformed::no(expr)) };
        let again = binary.clone().with_fail_on_overflow(true);
        Ok(Transformed::yes(Arc::new(again) as Arc<dyn PhysicalExpr>))
    })
    .data()
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::arrow::array::{Array, AsArray, Int64Array, RecordBatch};
    use datafusion::arrow::datatypes::Int64Type;
    use datafusion::prelude::SessionContext;

    /// What an expression gives for `x` = null and for the largest whole number.
    fn evaluate(context: &SessionContext, sql: &str) -> Result<RecordBatch> {
        let numbers: Arc<dyn Array> = Arc::new(Int64Array::from(vec![None, Some(i64::MAX)]));
        let table = RecordBatch::try_from_iter_with_nullable([("x", numbers, true)])?;
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        runtime.block_on(async {
            let frame = context.read_batch(table)?;
            context.register_table("t", frame.into_view())?;
            let mut batches = context.sql(&format!("SELECT {sql} AS c FROM t")).await?.collect().await?;
            Ok(batches.remove(0))
        })
    }

    fn ours() -> SessionContext {
        SessionContext::new_with_state(with_rules(SessionStateBuilder::new().with_default_features()).build())
    }

    #[test]
    fn whoever_has_no_value_neither_has_another_nor_lacks_it() {
        let sql = "NOT (x IN (1) AND x IN (2))";
        let answer = evaluate(&ours(), sql).expect("it can be evaluated");
        assert!(answer.column(0).is_null(0));
        // Left to itself the engine says that they lack it. When this fails, see docs/decisions/0008-no-ballista.md.
        let answer = evaluate(&SessionContext::new(), sql).expect("it can be evaluated");
        assert!(answer.column(0).as_boolean().value(0));
    }

    #[test]
    fn sums_that_leave_64_bits_are_errors() {
        assert!(evaluate(&ours(), "x + 1").is_err());
        let answer = evaluate(&SessionContext::new(), "x + 1").expect("it goes on with what is left");
        assert_eq!(answer.column(0).as_primitive::<Int64Type>().value(1), i64::MIN);
    }
}
